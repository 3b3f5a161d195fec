-- expect: SCRIPT `next` is not available here
return next({})
