#!/bin/sh
# Fetch what the console takes from npm, as the lock file pins it, and copy it:
#     tools/web.sh WORK OUT
# into the folder OUT (frontends/console/vendor of `make web`), by way of WORK.
# npm compares each package with the lock file's hash before it unpacks it. A
# module's bare name for another becomes a path, for no import map may stand in
# a page without inline scripts; what names a source map goes.
set -eu
export LC_ALL=C
from=$(cd "$(dirname "$0")/.." && pwd)/frontends/console/npm
work=$1
out=$2
rm -rf "$work"
mkdir -p "$work" "$out"
cp "$from/package.json" "$from/package-lock.json" "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || {
    cat "$work/npm.log" >&2
    exit 1
}
module() { # FILE NAME
    sed -e 's|from"preact"|from"./preact.mjs"|g' \
        -e '/^\/\/# sourceMappingURL=/d' "$work/node_modules/$1" >"$out/$2"
}
module preact/dist/preact.module.js preact.mjs
module preact/hooks/dist/hooks.module.js hooks.mjs
module htm/dist/htm.module.js htm.mjs
cp "$work/node_modules/preact/LICENSE" "$out/preact.LICENSE"
cp "$work/node_modules/htm/LICENSE" "$out/htm.LICENSE"
chmod 644 "$out"/*
