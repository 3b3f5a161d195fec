--- What the REST door says of itself: OpenAPI that a public linter takes, and
-- a client made from it that works.
--
-- The tools come from npm, pinned by tests/npm/package-lock.json, into
-- $ATE_BUILD/npm. Where npm or the network is not there, that part is skipped,
-- and says so.
local run = require('helper')
local ate = require('ate')

before_each(run.begin)
after_each(run.finish)

if run.left_out('rest', describe, it) then
    return
end

local TOOLS = run.npm

local PRELUDE = run.PRELUDE .. '. '
    .. run.quote(run.root .. '/tests/system/rest.sh') .. '\n'

local function script(text)
    return run.script(PRELUDE .. text).out
end

--- The bank of examples/, whose transfer has a path.
local function bank()
    local done = run.shell(([[
        set -e
        "$ATE" chain create bank --schema %s/examples/bank/bank.lua \
            --accept accept-all,serializer,structured-logic
        "$ATE" key new bob
        "$ATE" call bank account.put name=alice owner=me
        "$ATE" call bank account.put name=bob owner=bob
    ]]):format(run.quote(run.root)))
    assert(done.code == 0, done.err)
end

describe('OpenAPI', function()
    it('names what is served, once each', function()
        bank()
        script([[
            open_rest
            ask "$U/openapi.json"; want 200; cp body node.json
            ask "$U/v1/bank/openapi.json"; want 200; cp body bank.json
        ]])
        local node = assert(ate.json.decode(run.read(run.dir .. '/node.json')))
        assert.equal('3.1.0', node.openapi)
        assert.equal('listChains', node.paths['/v1'].get.operationId)
        local doc = assert(ate.json.decode(run.read(run.dir .. '/bank.json')))
        local seen = {}
        for _, item in pairs(doc.paths) do
            for _, operation in pairs(item) do
                assert.is_nil(seen[operation.operationId])
                seen[operation.operationId] = true
            end
        end
        for _, id in ipairs({'transfer', 'callTransfer', 'listAccount',
            'createAccount', 'putAccount', 'appendTransfer', 'viewBalance',
            'listEvents', 'getProof'}) do
            assert.is_true(seen[id], id)
        end
        assert.is_nil(seen.patchAccount, 'it is off')
        local view = doc.paths['/v1/bank/views/balance'].get
        local names = {}
        for _, parameter in ipairs(view.parameters) do
            names[parameter.name or parameter['$ref']:match('%a+$')] = parameter
        end
        assert.same({'amount'}, names.sum.schema.enum)
        assert.is_truthy(names.AteAs and names.AteActFor and names.IfNoneMatch)
        assert.equal(2, #view.responses['200'].content['application/json']
            .schema.anyOf)
        assert.is_truthy(view.responses['304'])
        local put = doc.paths['/v1/bank/types/account/{key}'].put
        assert.is_truthy(put.responses['204'])
        assert.is_nil(put.responses['304'])
        local transfer = doc.paths['/v1/bank/accounts/{from}/transfers'].post
        local body = transfer.requestBody.content['application/json'].schema
        assert.is_nil(body.properties.from)
        assert.equal('string', body.properties.amount.type)
    end)

    it('is valid, and makes a client that works', function()
        if not run.has_npm() then
            io.stderr:write('openapi_spec: SKIPPED, no npm or no network: the '
                .. 'linter and the client were not tried\n')
            return
        end
        bank()
        run.write(run.dir .. '/client.mjs', [[
import * as bank from './bank.js';
const [url, key] = process.argv.slice(2);
bank.defaults.baseUrl = url;
bank.defaults.headers = {authorization: 'Bearer ' + key};
function same(a, b) {
    if (JSON.stringify(a) !== JSON.stringify(b))
        throw new Error(JSON.stringify(a) + ' is not ' + JSON.stringify(b));
}
const made = await bank.createAccount({name: 'carol', owner: 'me'});
same(made.status, 201);
same((await bank.getAccount('carol')).data.owner, 'me');
const pay = {to: 'bob', amount: '1.50'};
const first = await bank.transfer('alice', pay, {idempotencyKey: 'one'});
const again = await bank.transfer('alice', pay, {idempotencyKey: 'one'});
same(again.data.tx, first.data.tx);
const rows = await bank.viewBalance({account: 'bob'});
same(rows.data.items, [{account: 'bob', amount: '1.50'}]);
const bad = await bank.callTransfer({from: 'alice', to: 'bob', amount: '500'});
same([bad.status, bad.data.rule], [422, 'too_deep']);
const page = await bank.listAccount({limit: 2});
const rest = await bank.listAccount({limit: 2, cursor: page.data.next});
same([page.data.items.length, rest.data.items.length], [2, 1]);
console.log('it works');
]])
        assert.equal('it works\n', script(([[
            T=%s/node_modules/.bin
            open_rest
            ask "$U/openapi.json"; want 200; cp body node.json
            ask "$U/v1/bank/openapi.json"; want 200; cp body bank.json
            echo '{"type":"module"}' >package.json
            ln -s %s/node_modules node_modules
            for page in node.json bank.json; do
                "$T/redocly" lint --format=stylish "$page" >lint 2>&1 ||
                    fail "$(cat lint)"
                grep -q 'API description is valid' lint || fail "$(cat lint)"
            done
            "$T/oazapfts" bank.json bank.ts >made 2>&1 || fail "$(cat made)"
            "$T/tsc" --strict --target es2022 --module nodenext \
                --moduleResolution nodenext --skipLibCheck bank.ts >made 2>&1 ||
                fail "$(cat made)"
            node client.mjs "$U" "$K" || fail client
        ]]):format(run.quote(TOOLS), run.quote(TOOLS))))
    end)
end)
