-- expect: VALUE 1
return function()
    string.len = function()
        return 99
    end
    string.len = nil
    return 1
end
