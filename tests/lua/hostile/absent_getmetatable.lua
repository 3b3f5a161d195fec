-- expect: SCRIPT `getmetatable` is not available here
return getmetatable('').__index
