-- expect: SCRIPT syntax_error.lua:3:
local a = 1
local = 2
