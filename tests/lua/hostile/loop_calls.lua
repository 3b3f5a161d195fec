-- expect: LIMIT ran longer than
return function()
    local function f() end
    while true do
        f()
    end
end
