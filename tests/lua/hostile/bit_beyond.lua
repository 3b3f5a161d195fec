-- expect: SCRIPT does not fit 32 bits
return function()
    return bit.band(4294967296, 1)
end
