-- expect: SCRIPT require: argument 1 must be a text, got table
return require({})
