-- expect: VALUE nilnilnilnilnilnil
return function()
    return tostring(tonumber('1LL')) .. tostring(tonumber('0x10')) .. tostring(tonumber('inf')) .. tostring(tonumber('nan')) .. tostring(tonumber('2i')) .. tostring(tonumber('1_0'))
end
