-- expect: SCRIPT position 9007199254740992 is not within 1 to 1
return function()
    table.insert({}, 9007199254740992, 1)
end
