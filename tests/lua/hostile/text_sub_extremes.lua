-- expect: VALUE abc
return function()
    return ('abc'):sub(-9007199254740992, 9007199254740992)
end
