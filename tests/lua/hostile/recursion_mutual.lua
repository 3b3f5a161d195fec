-- expect: LIMIT calls that nest too deep
local a, b
function a()
    return 1 + b()
end
function b()
    return 1 + a()
end
return function()
    return a()
end
