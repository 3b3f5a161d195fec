#!/bin/sh
# Write C that holds the Lua of some folders (engine/script/assets.h):
#     tools/embed.sh lua ate > build/lua_assets.c
# takes lua/ate, and the list lua/ate.released.
# A module's name is its path with dots, without .lua and /init.
set -eu
export LC_ALL=C
root=${1:?usage: embed.sh ROOT FOLDER...}
shift

modules() {
    (cd "$root" && find "$@" -name '*.lua' -type f) | while read -r file; do
        module=${file%.lua}
        module=${module%/init}
        printf '%s %s\n' "$(printf '%s' "$module" | tr / .)" "$file"
    done | sort
}

# The lines of FOLDER.released: hash, module, first version.
releases() {
    for folder in "$@"; do
        sed '/^#/d; /^$/d' "$root/$folder.released"
    done
}

printf '/* Made by tools/embed.sh. */\n#include "script/assets.h"\n\n'
n=0
modules "$@" | while read -r module file; do
    printf 'static const unsigned char source_%d[] = {\n' "$n"
    od -An -v -tu1 "$root/$file" | sed 's/  */,/g; s/^,//; s/$/,/'
    printf '    0};\n\n'
    n=$((n + 1))
done
printf 'const struct lua_asset lua_assets[] = {\n'
n=0
modules "$@" | while read -r module file; do
    printf '    {"%s", "%s", (const char *)source_%d, sizeof(source_%d) - 1},\n' \
        "$module" "$file" "$n" "$n"
    n=$((n + 1))
done
printf '};\n\nconst size_t lua_asset_count =\n'
printf '    sizeof(lua_assets) / sizeof(lua_assets[0]);\n\n'
printf 'const struct lua_release lua_releases[] = {\n'
releases "$@" | while read -r hash module version; do
    printf '    {"%s", "%s", "%s"},\n' "$module" "$version" "$hash"
done
printf '};\n\nconst size_t lua_release_count =\n'
printf '    sizeof(lua_releases) / sizeof(lua_releases[0]);\n'
