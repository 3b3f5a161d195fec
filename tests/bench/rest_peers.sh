# shellcheck shell=sh disable=SC2034,SC2154
# For rest.sh: how it starts ate and its peers, each in $dir, waits for them and
# ends them. $B is the build, $here the folder of these files.

die() {
    echo "bench: REST: $*" >&2
    exit 1
}

# missing WORDS...: its rows are left out; said now and below the rows.
missing() {
    echo "bench: NOT MEASURED: $*" >&2
    echo "$*" >>"$dir/missing"
}

children=
end() {
    for child in $children; do kill "$child" 2>/dev/null || :; done
    wait
    rm -rf "$dir"
}

# start NAME PATTERN COMMAND...: in the background, until its output, which is
# in $log, has the pattern. 1: it ended before, or a minute is over. It ends with
# this script.
start() {
    log=$dir/$1.log
    pattern=$2
    shift 2
    setpriv --pdeathsig TERM "$@" >"$log" 2>&1 </dev/null &
    child=$!
    children="$children $child"
    deadline=$(($(date +%s) + 60))
    until grep -qs "$pattern" "$log"; do
        kill -0 "$child" 2>/dev/null || return 1
        [ "$(date +%s)" -lt "$deadline" ] || return 1
    done
}

# must_start: the same, or this script ends.
must_start() {
    start "$@" || die "$1 did not start:
$(cat "$log")"
}

# Bare libh2o with the bytes of a file; $url is where.
start_bare() {
    must_start "bare_$1" . "$B/tests/bench/bare_h2o" "$dir/$1"
    url=http://127.0.0.1:$(cat "$log")
}

# A port that nobody has right now.
free_port() {
    python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# nginx, on a free port; another, when somebody was faster. $url is where.
start_nginx() {
    home=$dir/nginx
    mkdir "$home"
    ln -s "$B/nginx" "$home/debian"
    ln -s "$B"/nginx/usr/lib/*-linux-gnu* "$home/lib"
    cp "$here/nginx.conf" "$here/nginx_bank.lua" "$home"
    cp "$dir/read" "$home/account.json"
    user=
    [ "$(id -u)" -ne 0 ] || user='user root;'
    for _ in $(seq 10); do
        port=$(free_port)
        url=http://127.0.0.1:$port
        echo "listen 127.0.0.1:$port;" >"$home/listen.conf"
        libraries=$(echo "$home"/lib/ "$B"/nginx/lib/*/ | tr ' ' :)
        if start nginx 'start worker process ' \
            env LD_LIBRARY_PATH="$libraries" "$B/nginx/usr/sbin/nginx" \
            -p "$home" -c nginx.conf -e stderr -g "$user"; then
            return 0
        fi
        grep -q 'Address already in use' "$log" || break
    done
    die "nginx did not start:
$(cat "$log")"
}

# Redis on a socket in nginx's folder, with the accounts and the function.
start_redis() {
    home=$dir/redis
    socket=$dir/nginx/redis.sock
    mkdir "$home"
    must_start redis 'ready to accept connections' redis-server --port 0 \
        --unixsocket "$socket" --dir "$home" --save '' --appendonly yes \
        --appendfsync always --auto-aof-rewrite-percentage 0
    for name in alice bob; do
        redis-cli -s "$socket" HSET "account:$name" owner me amount 0
    done >/dev/null
    redis-cli -s "$socket" -x FUNCTION LOAD <"$here/redis_bank.lua" >/dev/null
}
