-- expect: SCRIPT `xpcall` is not available here
return xpcall(function() end, function()
    while true do
    end
end)
