-- expect: SCRIPT power_folded.lua:2: `^` is not available here
return 2 ^ 0.5
