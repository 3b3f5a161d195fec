# What scripts of the REST specs share: sourced by sh, in a test's folder, behind
# the prelude of daemons (see rest_helper.lua).
#
# open_rest [OPTIONS]: serve the folder, on ports that are free; U is the URL, M
# that of the metrics, K the key.
open_rest() {
    rm -f told
    "$ATE" serve --rest 0 --metrics 0 "$@" >told 2>>serve.err &
    daemon=$!
    children="$children $daemon"
    tries=0
    until grep -q '^ready' told; do
        kill -0 "$daemon" 2>/dev/null ||
            fail "the daemon ended: $(cat serve.err)"
        tries=$((tries + 1))
        [ $tries -lt 100000 ] || fail 'the daemon is not ready'
    done
    U=$(sed -n 's/^rest  //p' told)
    M=$(sed -n 's/^metrics  //p' told)
    K=$("$ATE" key bearer) || fail 'no key'
}
# ask ARGUMENTS: of curl, with the key; `status`, head and body are what came.
ask() {
    : >body
    status=$(curl -sS -m 20 -D head -o body -w '%{http_code}' \
        -H "Authorization: Bearer $K" "$@") || fail "curl $*: $?"
}
# bare ARGUMENTS: without the key.
bare() {
    : >body
    status=$(curl -sS -m 20 -D head -o body -w '%{http_code}' "$@") ||
        fail "curl $*: $?"
}
told() {
    echo "$status"
    cat head body
}
# want STATUS [TEXT...]: that came, and these stand in the body.
want() {
    [ "$status" = "$1" ] || fail "expected $1: $(told)"
    shift
    for text in "$@"; do
        grep -qF -- "$text" body || fail "no $text: $(told)"
    done
}
# header NAME: its value.
header() {
    tr -d '\r' <head | sed -n "s/^$1: //Ip" | head -1
}
# json VERB PATH [BODY] [ARGUMENTS]: a request with a JSON body.
json() {
    verb=$1
    path=$2
    shift 2
    if [ $# -gt 0 ]; then
        text=$1
        shift
        ask -X "$verb" -H 'Content-Type: application/json' -d "$text" "$@" \
            "$U$path"
    else
        ask -X "$verb" "$U$path"
    fi
}
