-- expect: SCRIPT the date is not within
return function()
    return require('ate.date').of_time(-9007199254740992)
end
