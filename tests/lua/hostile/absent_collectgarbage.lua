-- expect: SCRIPT `collectgarbage` is not available here
return collectgarbage('count')
