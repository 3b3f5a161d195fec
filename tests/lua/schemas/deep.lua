-- Objects in objects, deeper than delegations look.
local ate = require('ate')
local t = ate.types
local deep = ate.schema('deep', {doc = 'Boxes in boxes.', version = 1})

for i = 0, 258 do
    local header = {name = t.name({max = 40})}
    if i > 0 then
        header.above = t.ref('box' .. i - 1)
    end
    deep:object('box' .. i, {
        doc = 'A box.',
        parent = i > 0 and 'above' or nil,
        key = {'name'},
        header = header,
    })
end
return deep
