-- expect: SCRIPT assertion failed
return function()
    assert(nil)
end
