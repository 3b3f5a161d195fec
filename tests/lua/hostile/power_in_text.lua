-- expect: VALUE ^^^
return function()
    return "^" .. [[^]] .. '^' -- ^
end
