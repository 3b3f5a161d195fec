-- expect: SCRIPT requires itself
local again = require(...)
return again
