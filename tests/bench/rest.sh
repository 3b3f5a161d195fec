#!/bin/sh
# REST reads and durable writes beside bare libh2o that answers with the same
# bytes, and beside nginx with its Lua module, alone and before Redis, in turn,
# medians of BENCH_RUNS (5): tests/bench/rest.sh BUILD
set -eu
B=$(cd "$1" && pwd)
runs=${BENCH_RUNS:-5}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
# shellcheck source=tests/bench/rest_peers.sh
. "$here/rest_peers.sh"
trap end EXIT
trap 'exit 1' HUP INT TERM

ATE=$B/ate
export ATE_DATA="$dir/data"
"$ATE" chain create bank --schema "$here/../../examples/bank/bank.lua" \
    --accept accept-all,serializer,structured-logic >/dev/null 2>&1
for name in alice bob; do
    "$ATE" call bank account.put name=$name owner=me >/dev/null
done
seq 2000 | sed 's/.*/{"name":"n&","owner":"me"}/' >"$dir/accounts"
"$ATE" call bank account.put --jsonl "$dir/accounts" >/dev/null
must_start ate '^ready' "$ATE" serve --rest 0
ours=$(sed -n 's/^rest  //p' "$log")
ATE_BEARER=$("$ATE" key bearer)
export ATE_BEARER
account=/v1/bank/types/account/alice
transfer=/v1/bank/methods/transfer

# ask STATUS ARGUMENTS...: the answer; this script ends if it has another one.
ask() {
    wanted=$1
    shift
    status=$(curl -sS -o "$dir/answer" -w '%{http_code}' "$@")
    [ "$status" = "$wanted" ] || die "$status in place of $wanted: $*
$(cat "$dir/answer")"
    cat "$dir/answer"
}
read_from() {
    ask "$1" -H "Authorization: Bearer $3" "$2$account"
}
# transfer_at STATUS URL AMOUNT
transfer_at() {
    ask "$1" -H "Authorization: Bearer $ATE_BEARER" \
        -H 'Content-Type: application/json' \
        -d "{\"from\":\"alice\",\"to\":\"bob\",\"amount\":\"$3\"}" "$2$transfer"
}

# rate CONNECTIONS ARGUMENTS...: of wrk, requests a second, all of them answered
# with success.
rate() {
    connections=$1
    shift
    wrk -t 1 -c "$connections" -d 1s "$@" >"$dir/wrk" </dev/null
    ! grep -q '^ *\(Non-2xx\|Socket errors\)' "$dir/wrk" ||
        die "requests failed: wrk -c $connections $*
$(cat "$dir/wrk")"
    sed -n 's/^Requests.sec: *//p' "$dir/wrk"
}
median() { sort -n "$1" | sed -n "$((runs / 2 + 1))p"; }
# put_row NAME OURS PEER PEERS AIM: as bench.c prints and keeps it; AIM -: none.
put_row() {
    awk -v name="$1" -v a="$2" -v peer="$3" -v b="$4" -v aim="$5" \
        -v rows="${BENCH_ROWS:-/dev/null}" 'BEGIN {
        if (aim == "-") aim = ""
        met = aim == "" ? "" : a / b >= aim ? "true" : "false"
        word = met == "" ? "" : met == "true" ? "met" : "MISSED"
        if (aim != "") aim = ">= " aim
        printf "%-42s %10.4g %-8s %-36s %10.4g %7.2f  %-8s %s\n",
            name, a, "/s", peer, b, a / b, aim, word
        printf "%s\t%.6g\t/s\t%s\t%.6g\t%.4g\t%s\t%s\n",
            name, a, peer, b, a / b, aim, met >>rows
    }'
}

# peer URL AIM NAME...: one more that the next race is against.
peer() { echo "$@" >>"$dir/peers"; }
# take_turn CONNECTIONS PATH ARGUMENTS...: ate and each of its peers once.
take_turn() {
    connections=$1
    path=$2
    shift 2
    rate "$connections" "$@" "$ours$path" >>"$dir/rates.ours"
    while read -r url _ name; do
        rate "$connections" "$@" "$url$path" >>"$dir/rates.$name"
    done <"$dir/peers"
}
# race NAME PATH ARGUMENTS...: a row for each number of connections and peer.
race() {
    race=$1
    shift
    for connections in ${CONNECTIONS:-1 16 128}; do
        row="$race, $connections connections"
        case $row in *"${BENCH:-}"*) ;; *) continue ;; esac
        rm -f "$dir"/rates.*
        for _ in $(seq "$runs"); do take_turn "$connections" "$@"; done
        while read -r _ aim name; do
            put_row "$row" "$(median "$dir/rates.ours")" "$name" \
                "$(median "$dir/rates.$name")" "$aim"
        done <"$dir/peers"
    done
    rm "$dir/peers"
}

read_from 200 "$ours" "$ATE_BEARER" >"$dir/read"
transfer_at 200 "$ours" 0.01 >"$dir/written"
start_bare read
peer "$url" 0.7 'bare libh2o, the same bytes'
nginx=
if "$here/unpack" "$B/nginx"; then
    start_nginx
    nginx=$url
    read_from 200 "$nginx" "$ATE_BEARER" | cmp - "$dir/read"
    read_from 401 "$nginx" nobody >/dev/null
    peer "$nginx" 1 'nginx, Lua'
else
    missing "nginx with its Lua module, whose packages could not be had"
fi
race 'REST: get an object' "$account" -H "Authorization: Bearer $ATE_BEARER"

# That is one object, which the door keeps. Each of many in turn; and one while
# somebody writes, so that it is kept for a moment only.
CONNECTIONS=16
start_bare read
peer "$url" - 'bare libh2o, the same bytes'
race 'REST: get 2,000 in turn' "$account" -s "$here/get.lua"
start_bare read
peer "$url" - 'bare libh2o, the same bytes'
row='REST: get an object while one writes, 16 connections'
case $row in *"${BENCH:-}"*)
    setpriv --pdeathsig TERM wrk -t 1 -c 1 -d 60s -s "$here/transfer.lua" \
        "$ours" >/dev/null 2>&1 &
    writer=$!
    children="$children $writer"
    race "${row%, *}" "$account" -H "Authorization: Bearer $ATE_BEARER"
    kill "$writer"
    wait "$writer" 2>/dev/null || :
    ;;
esac
rm -f "$dir/peers"
unset CONNECTIONS

start_bare written
peer "$url" - 'bare libh2o, the same bytes'
if ! command -v redis-server >/dev/null; then
    missing "redis-server, which is not installed here"
elif [ -n "$nginx" ]; then
    start_redis
    transfer_at 200 "$nginx" 0.01 >/dev/null
    transfer_at 422 "$nginx" 1000.00 >/dev/null
    peer "$nginx" 1 'Redis behind nginx, Lua'
fi
race 'REST: transfer, durable' "$transfer" -s "$here/transfer.lua"
[ ! -e "$dir/missing" ] || printf '\nNot measured:\n%s\n' "$(cat "$dir/missing")"
