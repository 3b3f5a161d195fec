-- expect: VALUE inf inf inf inf
return function()
    local zero, less, one = 0, -1, 1
    local made = zero * less -- is -0 where numbers are doubles, else 0
    local divided = zero / less
    return 1 / made .. ' ' .. one / made .. ' ' .. one / divided .. ' '
        .. one / -zero
end
