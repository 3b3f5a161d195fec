-- expect: SCRIPT unpack: at most 200 values
return function()
    return unpack({}, -9007199254740992, 9007199254740992)
end
