-- expect: SCRIPT `jit.on` is not available here
return jit.on()
