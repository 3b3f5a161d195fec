-- expect: SCRIPT `host` is not declared
return host.setmetatable
