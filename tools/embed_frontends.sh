#!/bin/sh
# Write the C file that keeps the Lua of the frontends inside the binary:
#     embed_frontends.sh DIR...  (below lua/) > build/frontend_assets.c
# Every file below the folders is taken, sorted by its path.
set -eu
export LC_ALL=C

cd "$(dirname "$0")/../lua"
echo '/* Made by tools/embed_frontends.sh from lua/. */'
echo '#include "lua/binding.h"'
n=0
table=
for file in $(find "$@" -type f | sort); do
    n=$((n + 1))
    echo "static const char text_${n}[] ="
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$file"
    echo '    "";'
    table="$table    {\"$file\", text_$n, sizeof(text_$n) - 1},
"
done
echo 'const struct frontend_asset frontend_assets[] = {'
printf '%s' "$table"
echo '    {0, 0, 0},'
echo '};'
