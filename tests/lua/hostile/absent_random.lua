-- expect: SCRIPT let the caller pass
return math.random()
