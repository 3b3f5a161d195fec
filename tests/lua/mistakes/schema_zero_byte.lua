-- expect: ?: a name is made of small letters
local ate = require('ate')
return ate.schema('shop\0s', {doc = 'A shop.', version = 1})
