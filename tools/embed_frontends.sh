#!/bin/sh
# Write the C file that keeps the Lua of the frontends inside the binary, and
# the standard schemas with their tests, as text:
#     tools/embed_frontends.sh > build/frontend_assets.c
# lua/cli/main.lua is called cli/main.lua, schemas/ledger.lua so.
set -eu
export LC_ALL=C

cd "$(dirname "$0")/.."
echo '/* Made by tools/embed_frontends.sh from lua/ and schemas/. */'
echo '#include "lua/assets.h"'
n=0
table=
for file in $(find lua/author lua/cli lua/client lua/repl lua/test schemas \
    -type f | sort); do
    n=$((n + 1))
    echo "static const char text_${n}[] ="
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$file"
    echo '    "";'
    table="$table    {\"${file#lua/}\", text_$n, sizeof(text_$n) - 1},
"
done
echo 'const struct frontend_asset frontend_assets[] = {'
printf '%s' "$table"
echo '    {0, 0, 0},'
echo '};'
