-- expect: SCRIPT `getfenv` is not available here
return getfenv(0)
