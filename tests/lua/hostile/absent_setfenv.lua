-- expect: SCRIPT `setfenv` is not available here
return setfenv(1, {})
