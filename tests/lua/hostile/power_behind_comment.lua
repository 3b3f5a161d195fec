-- expect: SCRIPT power_behind_comment.lua:4: `^`
-- ^ is fine here
local a = "^" --[[ and ^ here ]]
return 2 ^ 2
