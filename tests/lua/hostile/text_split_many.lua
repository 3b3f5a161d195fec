-- expect: SCRIPT more than 8000 parts
return function()
    return (','):rep(65536):split(',')
end
