#!/bin/sh
# Run a command over a data folder that is made anew, unless one is in use.
#     tools/alone.sh DATA COMMAND...
# DATA.lock is held, by the process whose id is in it, until the command and
# all that it started have ended: `make run` said twice must not take away what
# the first one serves.
set -eu
data=$1
shift

# in_use PID: end, and say by whom and what to do.
in_use() {
    who=${1:+"process $1"}
    echo "make run: $data is in use by ${who:-another process}, which serves \
it: end that first, by Ctrl-D in its REPL${1:+ or by kill $1}" >&2
    exit 1
}

# The process that has the data folder, as the kernel knows it.
holder() {
    awk -v inode="$(stat -c %i "$data/lock")" '$2 == "FLOCK" &&
        $6 ~ ":" inode "$" && $5 > 0 { print $5; exit }' /proc/locks
}

exec 9>>"$data.lock"
if ! flock -n 9; then
    pid=$(cat "$data.lock")
    kill -0 "${pid:-x}" 2>/dev/null || pid=
    [ -n "$pid" ] || [ ! -e "$data/lock" ] || pid=$(holder)
    in_use "$pid"
fi
if [ -e "$data/lock" ] && ! flock -n "$data/lock" true; then
    in_use "$(holder)"
fi
echo $$ >"$data.lock"
rm -rf "$data"
mkdir -p "$data"
exec "$@"
