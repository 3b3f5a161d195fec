-- expect: SCRIPT the date is not within
return function()
    return require('ate.date').add_days('9999-12-31', 9007199254740992)
end
