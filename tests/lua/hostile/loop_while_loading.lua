-- expect: LIMIT ran longer than 10000000 steps
while true do end
