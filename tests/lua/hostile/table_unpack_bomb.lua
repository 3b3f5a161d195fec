-- expect: SCRIPT unpack: at most 200 values
return function()
    return unpack({}, 1, 100000000)
end
