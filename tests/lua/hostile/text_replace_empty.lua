-- expect: SCRIPT the part is empty
return function()
    return require('ate.text').replace('abc', '', 'x')
end
