-- expect: SCRIPT `io` is not available here
return require('io')
