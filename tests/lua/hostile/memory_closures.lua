-- expect: LIMIT needs more than
return function()
    local last
    for i = 1, 99999 do
        last = function()
            return last, i
        end
    end
end
