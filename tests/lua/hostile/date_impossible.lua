-- expect: SCRIPT is no date such as 2026-11-22
return function()
    return require('ate.date').month('2026-02-30')
end
