-- expect: SCRIPT `newproxy` is not available here
return newproxy(true)
