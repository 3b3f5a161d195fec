-- expect: SCRIPT argument 1 must be a text
return function()
    error(function() end)
end
