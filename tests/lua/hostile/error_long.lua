-- expect: SCRIPT xxx
return function()
    error(('x'):rep(65536), 0)
end
