-- expect: SCRIPT string.gsub
return function()
    return ('a'):rep(30):gsub(('a?'):rep(30), '')
end
