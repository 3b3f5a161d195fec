#!/bin/sh
# Write C that holds Lua (engine/declare/assets.h):
#     tools/embed.sh > build/lua_assets.c
# takes lua/ate, the list lua/ate.released, and schemas/ without their tests.
# The module of lua/ate/x.lua is `ate.x`, that of schemas/x.lua `ate:x`.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."

# Both give lines of module, name of the file, and where it is.
own_modules() {
    (cd lua && find ate -name '*.lua' -type f) | while read -r file; do
        module=${file%.lua}
        module=${module%/init}
        printf '%s %s lua/%s\n' "$(printf '%s' "$module" | tr / .)" "$file" \
            "$file"
    done | sort
}
standard_schemas() {
    for path in schemas/*.lua; do
        name=$(basename "$path" .lua)
        case $name in *_test) continue ;; esac
        printf 'ate:%s %s %s\n' "$name" "$path" "$path"
    done | sort
}

# The table TABLE, counted by COUNT, of the lines that stdin gives.
table() { # TABLE COUNT
    n=0
    rows=
    while read -r module file path; do
        printf 'static const unsigned char %s_%d[] = {\n' "$1" "$n"
        od -An -v -tu1 "$path" | sed 's/  */,/g; s/^,//; s/$/,/'
        printf '    0};\n\n'
        rows="$rows    {\"$module\", \"$file\", (const char *)$1_$n,
     sizeof($1_$n) - 1},
"
        n=$((n + 1))
    done
    printf 'const struct lua_asset %s[] = {\n%s};\n\n' "$1" "$rows"
    printf 'const size_t %s =\n    sizeof(%s) / sizeof(%s[0]);\n\n' \
        "$2" "$1" "$1"
}

printf '/* Made by tools/embed.sh. */\n#include "declare/assets.h"\n\n'
own_modules | table lua_assets lua_asset_count
standard_schemas | table schema_assets schema_asset_count

# The lines of the list: hash, module, first version.
printf 'const struct lua_release lua_releases[] = {\n'
sed '/^#/d; /^$/d' lua/ate.released | while read -r hash module version; do
    printf '    {"%s", "%s", "%s"},\n' "$module" "$version" "$hash"
done
printf '};\n\nconst size_t lua_release_count =\n'
printf '    sizeof(lua_releases) / sizeof(lua_releases[0]);\n'
