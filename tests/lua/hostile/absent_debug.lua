-- expect: SCRIPT `debug.sethook` is not available here
return debug.sethook()
