-- expect: SCRIPT must be an integer of at most 2^53, got nan
return function()
    return ('x'):rep(0 / 0)
end
