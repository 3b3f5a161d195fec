-- expect: SCRIPT numbers that end in LL
return {1LL, 2LL}
