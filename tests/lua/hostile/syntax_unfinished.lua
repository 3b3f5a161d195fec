-- expect: SCRIPT syntax_unfinished.lua:
return function()
