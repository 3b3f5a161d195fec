-- expect: SCRIPT string.len was changed while the bundle was loaded
string.len = function()
    return 99
end
return 1
