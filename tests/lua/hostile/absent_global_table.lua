-- expect: SCRIPT name the global itself
return _G.string
