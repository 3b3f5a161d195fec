-- expect: SCRIPT error_level_huge
return function()
    error('error_level_huge', 9007199254740992)
end
