-- expect: SCRIPT literal_long.lua:2: numbers that end in LL
return 1LL
