-- expect: SCRIPT `ffi.new` is not available here
return ffi.new('int')
