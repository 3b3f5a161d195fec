-- expect: LIMIT ran longer than
return function()
    ::again::
    goto again
end
