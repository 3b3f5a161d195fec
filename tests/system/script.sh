# shellcheck shell=sh
# What scripts of the specs share: sourced by sh, in a test's folder.
#
# What a script starts in the background it adds to $children; with the script
# that ends, by the signal $ends_by, and nothing else does.
set -u
children=
ends_by=KILL
cleanup() {
    for pid in $children; do
        kill -CONT "$pid" 2>/dev/null
        kill "-$ends_by" "$pid" 2>/dev/null
    done
    wait 2>/dev/null
}
trap cleanup EXIT
fail() {
    echo "$*" >&2
    exit 99
}
# await COMMAND...: again and again, until it succeeds.
await() {
    deadline=$(($(date +%s) + 30))
    until "$@" 2>/dev/null; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "not in 30 seconds: $*"
        sleep 0.005
    done
}
# await_end PID
await_end() {
    await eval "! kill -0 $1"
}
# serve [OPTIONS]: start the daemon and wait until it is ready.
serve() {
    rm -f ready
    mkfifo ready
    "$ATE" serve "$@" >ready 2>>serve.err &
    daemon=$!
    children="$children $daemon"
    exec 3<ready
    # shellcheck disable=SC2034 # what it says is for the scripts
    read -r line <&3 || fail "the daemon said nothing: $(cat serve.err)"
}
# stop: end it in order; it has to end with 0.
stop() {
    kill -TERM "$daemon"
    wait "$daemon"
    code=$?
    [ $code -eq 0 ] || fail "the daemon ended with $code: $(cat serve.err)"
}
