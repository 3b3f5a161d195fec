-- expect: SCRIPT `dofile` is not available here
return dofile('/etc/passwd')
