#!/bin/sh
# REST reads and writes beside bare libh2o that answers with the same bytes,
# in turn, medians of five: tests/bench/rest.sh BUILD
set -eu
B=$1
here=$(cd "$(dirname "$0")" && pwd)
ATE=$(cd "$B" && pwd)/ate
bare=$(cd "$B" && pwd)/tests/bench/bare_h2o
dir=$(mktemp -d)
daemon= && held=
end() {
    [ -z "$daemon" ] || kill "$daemon" || :
    [ -z "$held" ] || kill "$held" || :
    wait
    rm -rf "$dir"
}
trap end EXIT
export ATE_DATA="$dir/data"
"$ATE" chain create bank --schema "$here/../../examples/bank/bank.lua" \
    --accept accept-all,serializer,structured-logic >/dev/null 2>&1
for name in alice bob; do
    "$ATE" call bank account.put name=$name owner=me >/dev/null
done
"$ATE" serve --rest 0 >"$dir/told" &
daemon=$!
until grep -q '^ready' "$dir/told"; do kill -0 "$daemon"; done
U=$(sed -n 's/^rest  //p' "$dir/told")
ATE_BEARER=$("$ATE" key bearer)
export ATE_BEARER
ask() { curl -sS -H "Authorization: Bearer $ATE_BEARER" "$@"; }

# serve FILE: bare libh2o with these bytes; P is its port.
serve() {
    [ -z "$held" ] || kill "$held"
    rm -f "$dir/hold" "$dir/port"
    mkfifo "$dir/hold"
    "$bare" "$1" <"$dir/hold" >"$dir/port" &
    held=$!
    exec 9>"$dir/hold"
    until [ -s "$dir/port" ]; do kill -0 "$held"; done
    P=$(cat "$dir/port")
}
# rate CONNECTIONS ARGUMENTS...: of wrk, requests a second.
rate() {
    connections=$1
    shift
    wrk -t 1 -c "$connections" -d 1s "$@" |
        sed -n 's/^Requests.sec: *//p'
}
median() { sort -n | sed -n 3p; }
# row NAME CONNECTIONS PATH [ARGUMENTS...]
row() {
    name=$1
    connections=$2
    path=$3
    shift 3
    : >"$dir/ours" && : >"$dir/peer"
    for _ in 1 2 3 4 5; do
        rate "$connections" "$@" "$U$path" >>"$dir/ours"
        rate "$connections" "$@" "http://127.0.0.1:$P$path" >>"$dir/peer"
    done
    printf '%-44s %10.0f /s   %-34s %10.0f /s   %6.2f\n' \
        "$name, $connections connections" "$(median <"$dir/ours")" \
        'bare libh2o, the same bytes' "$(median <"$dir/peer")" \
        "$(echo "$(median <"$dir/ours") $(median <"$dir/peer")" |
            awk '{ print $1 / $2 }')"
}

path=/v1/bank/types/account/alice
ask "$U$path" >"$dir/read"
serve "$dir/read"
for connections in 1 16 128; do
    row 'REST: get an object' "$connections" "$path" \
        -H "Authorization: Bearer $ATE_BEARER"
done
ask -H 'Content-Type: application/json' \
    -d '{"from":"alice","to":"bob","amount":"0.01"}' \
    "$U/v1/bank/methods/transfer" >"$dir/written"
serve "$dir/written"
for connections in 1 16 128; do
    row 'REST: transfer, durable' "$connections" /v1/bank/methods/transfer \
        -s "$here/transfer.lua"
done
