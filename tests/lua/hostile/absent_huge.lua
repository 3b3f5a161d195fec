-- expect: SCRIPT `math.huge` is not available here
return math.huge
