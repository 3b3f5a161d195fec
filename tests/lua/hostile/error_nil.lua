-- expect: SCRIPT error without a text
return function()
    error(nil)
end
