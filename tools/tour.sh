#!/bin/sh
# The end of `make run`: serve a data folder, ask at each door, open the REPL.
#     tools/tour.sh ATE DATA CHAIN VIEW COLUMN=VALUE
# A door that was not built, or that this machine does not let open, is left
# out; what ate says about it is shown. Away from a terminal there is no REPL.
set -eu
ate=$1
data=$2
chain=$3
view=$4
row=$5
# Not below DATA or the build: who removes those must not reach into a mount.
work=$(mktemp -d)
files=$work/files
daemon=

end_daemon() {
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null || :
    wait "$daemon" || :
    daemon=
}
finish() {
    end_daemon
    rm -f "$work/told"
    if [ -d "$files" ]; then rmdir "$files"; fi
    rmdir "$work"
}
trap finish EXIT
trap 'exit 143' TERM HUP
trap : INT # Ctrl-C is for the REPL

# serve OPTIONS...: 0 once the daemon is ready. It has a session of its own, so
# that Ctrl-C does not reach it.
serve() {
    setsid "$ate" serve --data "$data" "$@" >"$work/told" 2>&1 </dev/null &
    daemon=$!
    tries=0
    until grep -qs '^ready' "$work/told"; do
        tries=$((tries + 1))
        if [ $tries -gt 600 ] || ! kill -0 "$daemon" 2>/dev/null; then
            end_daemon
            cat "$work/told" >&2
            return 1
        fi
        sleep 0.05
    done
}

# show COMMAND: run it as it is printed.
show() {
    printf '\n$ %s\n' "$1"
    sh -c "$1"
}

serve --rest 0 --mount "$files" || serve --rest 0 ||
    serve --mount "$files" || serve
printf '\nserved, until this ends:\n'
cat "$work/told"
url=$(sed -n 's/^rest  //p' "$work/told")
if [ -n "$url" ]; then
    show "curl -sSfw '\\n' -H \"\$($ate key bearer --header --data $data)\" \
'$url/v1/$chain/views/$view?$row'"
    show "$ate console --data $data"
fi
if grep -q '^mount' "$work/told"; then
    show "head -n 2 $files/$chain/views/$view.csv"
fi
if [ -t 0 ] && [ -t 1 ]; then
    echo
    "$ate" repl --data "$data"
fi
