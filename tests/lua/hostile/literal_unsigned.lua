-- expect: SCRIPT numbers that end in LL
return 0xffULL
