#!/bin/sh
# REST reads and writes beside bare libh2o that answers with the same bytes,
# in turn, medians of BENCH_RUNS (5): tests/bench/rest.sh BUILD
set -eu
B=$1
runs=${BENCH_RUNS:-5}
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
median() { sort -n | sed -n "$((runs / 2 + 1))p"; }
# put_row NAME OURS PEERS AIM: as bench.c prints and keeps it; no AIM: none.
put_row() {
    awk -v name="$1" -v a="$2" -v b="$3" -v aim="$4" \
        -v rows="${BENCH_ROWS:-/dev/null}" 'BEGIN {
        peer = "bare libh2o, the same bytes"
        met = aim == "" ? "" : a / b >= aim ? "true" : "false"
        word = met == "" ? "" : met == "true" ? "met" : "MISSED"
        if (aim != "") aim = ">= " aim
        printf "%-42s %10.4g %-8s %-36s %10.4g %7.2f  %-8s %s\n",
            name, a, "/s", peer, b, a / b, aim, word
        printf "%s\t%.6g\t/s\t%s\t%.6g\t%.4g\t%s\t%s\n",
            name, a, peer, b, a / b, aim, met >>rows
    }'
}
# row NAME CONNECTIONS PATH [ARGUMENTS...]
row() {
    name=$1
    connections=$2
    path=$3
    shift 3
    : >"$dir/ours" && : >"$dir/peer"
    for _ in $(seq "$runs"); do
        rate "$connections" "$@" "$U$path" >>"$dir/ours"
        rate "$connections" "$@" "http://127.0.0.1:$P$path" >>"$dir/peer"
    done
    put_row "$name, $connections connections" "$(median <"$dir/ours")" \
        "$(median <"$dir/peer")" "$aim"
}

path=/v1/bank/types/account/alice
ask "$U$path" >"$dir/read"
serve "$dir/read"
aim=0.7
for connections in 1 16 128; do
    row 'REST: get an object' "$connections" "$path" \
        -H "Authorization: Bearer $ATE_BEARER"
done
ask -H 'Content-Type: application/json' \
    -d '{"from":"alice","to":"bob","amount":"0.01"}' \
    "$U/v1/bank/methods/transfer" >"$dir/written"
serve "$dir/written"
aim=
for connections in 1 16 128; do
    row 'REST: transfer, durable' "$connections" /v1/bank/methods/transfer \
        -s "$here/transfer.lua"
done
