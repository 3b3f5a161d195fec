-- expect: SCRIPT `tosting` is not declared
return tosting(1)
