-- expect: SCRIPT numbers that end in LL
return 2i
