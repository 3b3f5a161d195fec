-- expect: SCRIPT `io.open` is not available here
return io.open('/etc/passwd')
