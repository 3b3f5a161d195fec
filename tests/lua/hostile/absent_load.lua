-- expect: SCRIPT `load` is not available here
return load('return 1')
