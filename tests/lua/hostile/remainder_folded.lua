-- expect: SCRIPT remainder_folded.lua:4: `%` of two numbers is not available here
return function(n)
    local text = '5.3 % 0.1' -- % is text here
    local rest = 5.3 % 0.1
    return n % 2, text, rest
end
