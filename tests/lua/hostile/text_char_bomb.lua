-- expect: SCRIPT is not a byte
return function()
    return string.char(256)
end
