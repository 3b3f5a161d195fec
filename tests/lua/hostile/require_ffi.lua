-- expect: SCRIPT `ffi` is not available here
return require('ffi')
