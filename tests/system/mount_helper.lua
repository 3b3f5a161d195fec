--- What the mount specs share: a script starts the mount by `mounts`, which
-- returns when it is there, and ends it by `stop`. What it starts it ends, and
-- nothing else.
local run = require('helper')

local M = {}

local PRELUDE = run.PRELUDE .. [[
ends_by=TERM
# mounts: mount at ./m and wait until it is there.
mounts() {
    rm -f ready
    mkfifo ready
    "$ATE" mount m "$@" >ready 2>>mount.err &
    daemon=$!
    children="$children $daemon"
    exec 3<ready
    read -r line <&3 || fail "the mount said nothing: $(cat mount.err)"
    exec 3<&-
}
# stop: end it in order; it has to end with 0 and leave nothing.
stop() {
    kill -TERM "$daemon"
    wait "$daemon"
    code=$?
    [ $code -eq 0 ] || fail "the mount ended with $code: $(cat mount.err)"
    unmounted
}
# unmounted: wait until nothing is mounted at ./m.
unmounted() {
    await eval '! mountpoint -q m && ! ls m 2>&1 | grep -q connected'
}
# says TEXT COMMAND...: its output is that text.
says() {
    want=$1
    shift
    got=$("$@" 2>&1) || fail "$*: exit $?: $got"
    [ "$got" = "$want" ] || fail "$*: '$got', not '$want'"
}
# refuses TEXT COMMAND...: it fails, and says so.
refuses() {
    want=$1
    shift
    if got=$("$@" 2>&1); then
        fail "$*: did not fail: $got"
    fi
    case $got in *"$want"*) ;; *) fail "$*: '$got', not '$want'" ;; esac
}
bank() {
    "$ATE" chain create bank --schema bank.lua \
        --accept accept-all,serializer,structured-logic >/dev/null &&
        "$ATE" key new bob >/dev/null &&
        "$ATE" call bank account.put name=alice owner=me >/dev/null &&
        "$ATE" call bank account.put name=bob owner=bob >/dev/null
}
wiki() {
    "$ATE" chain create wiki --schema tracker.lua \
        --accept accept-all,serializer,structured-logic >/dev/null 2>&1 &&
        "$ATE" call wiki project.put slug=atlas group=me >/dev/null
}
words() {
    "$ATE" chain create words --schema words.lua \
        --accept accept-all,serializer,structured-logic >/dev/null 2>&1
}
word=m/words/types/word
transfer=m/bank/accounts/alice/transfer
page=m/wiki/wiki/atlas/intro.md
]]

--- A schema of words, for words of the script.
M.WORDS = [[
local ate = require('ate')
local t = ate.types
local words = ate.schema('words', {doc = 'Words.', version = 1})
words:object('word', {
    doc = 'A word.', key = {'name'},
    header = {name = t.name({max = 40})}, body = {body = t.text()},
})
words:rule('swears', {
    doc = 'Nobody swears.', on = {'word'}, text = '{name} is no word',
    check = function(state, word)
        return word.name ~= 'damn' or ate.deny({name = word.name})
    end,
})
words:rule('stays', {
    doc = 'What is kept is never deleted.', on = {'word'},
    text = '{name} is kept',
    check = function(state, word)
        return word.change ~= 'delete' or word.name ~= 'kept'
            or ate.deny({name = word.name})
    end,
})
words:method('say', {
    doc = 'Add a word.', mode = 'write', args = t.fields('word'),
    content = 'body', file = 'say/{name}',
    run = function(ctx, args) return ctx:put('word', args) end,
})
words:method('tell', {
    doc = 'Add a word.', mode = 'write', args = t.fields('word'),
    content = 'body', file = 'tell',
    run = function(ctx, args) return ctx:put('word', args) end,
})
return words
]]

--- Run a script; it has to end with 0.
function M.script(text)
    run.bank_schema()
    run.write(run.dir .. '/tracker.lua',
        run.read(run.root .. '/tests/lua/schemas/tracker.lua'))
    return run.script(PRELUDE .. text)
end

return M
