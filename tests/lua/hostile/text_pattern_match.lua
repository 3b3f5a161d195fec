-- expect: SCRIPT `string.match` is not available here
return function(s)
    return string.match(s, '(a*)*b')
end
