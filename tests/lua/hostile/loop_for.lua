-- expect: LIMIT ran longer than
return function()
    for i = 1, 9007199254740992 do end
end
