-- expect: SCRIPT must be a text
return function()
    assert(false, {})
end
