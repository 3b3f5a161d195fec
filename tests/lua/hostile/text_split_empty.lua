-- expect: SCRIPT string.split: the separator is empty
return function()
    return ('abc'):split('')
end
