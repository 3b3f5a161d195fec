--- Neighbours who owe each other.
--
-- Everything here is a declaration: what is stored (objects and events), what
-- is kept up to date from it (views), what is refused (rules), and what people
-- call (methods). Only rules protect: whoever has a key may append events
-- without calling a method. `ate check bank.lua` warns about what no rule
-- looks at, `ate test` runs bank_test.lua.
local ate = require('ate')
local t = ate.types
local bank = ate.schema('bank', {
    doc = 'Neighbours who owe each other.',
    version = 1,
    bodies = 'open', -- nothing is sealed: who has the folder can read it
})

-- An amount is '12.50' at every door and 1250 in Lua, so sums are exact.
local money = t.amount({scale = 2})
local payment = t.amount({scale = 2, min = 1})

-- An object has a key, versions, and methods of its own: account.put,
-- account.get, account.list, ... `off` takes some of them away, for everybody.
bank:object('account', {
    doc = 'What one neighbour owns or owes.',
    key = {'name'},
    header = {name = t.name({max = 40}), owner = t.once(t.identity())},
    off = {'patch', 'delete'},
})

-- An event is a fact: it is never changed. A ref names what is there.
bank:event('transfer', {
    doc = 'Money moved between two accounts.',
    header = {
        from = t.ref('account'),
        to = t.ref('account'),
        amount = payment,
    },
})

-- A view is a table that is folded from events; columns outside its key that
-- have defaults make rows appear when they are first added to.
bank:view('balance', {
    doc = 'What each account holds.',
    key = {'account'},
    row = {account = t.ref('account'), amount = t.default(money, 0)},
    fold = {
        transfer = function(rows, transfer)
            rows:add(transfer.from, {amount = -transfer.amount})
            rows:add(transfer.to, {amount = transfer.amount})
        end,
    },
})

-- A rule says yes with true, and no with ate.deny(values for its text).
bank:rule('not_owner', {
    doc = 'Only its owner takes money out of an account.',
    on = {'transfer'},
    text = '{from} is not yours',
    check = function(state, transfer, tx)
        local account = state.account:get(transfer.from)
        return tx:by(account.owner) or ate.deny({from = transfer.from})
    end,
})
bank:rule('too_deep', {
    doc = 'No account owes more than 100.00.',
    on = {'transfer'},
    text = '{from} would hold {left}',
    says = {left = money},
    check = function(state, transfer)
        local row = state.balance:get(transfer.from)
        local left = row.amount - transfer.amount
        return left >= -10000
            or ate.deny({from = transfer.from, left = left})
    end,
})

-- A method is what people call; `rest` and `file` are its other doors.
bank:method('transfer', {
    doc = 'Move money to another account.',
    mode = 'write',
    runs = 'both',
    args = t.fields('transfer'),
    returns = t.ref('transfer'),
    rest = 'POST /accounts/{from}/transfers',
    file = 'accounts/{from}/transfer',
    run = function(ctx, args)
        return ctx:emit('transfer', args)
    end,
})

return bank
