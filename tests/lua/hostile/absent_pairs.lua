-- expect: SCRIPT as its order differs between machines: use ate.each
return pairs({})
