-- expect: SCRIPT `pcall` is not available here
return pcall(error)
