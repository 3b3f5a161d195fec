#!/bin/sh
# Write the C file that keeps the web console inside the binary:
#     tools/embed_console.sh > build/console_assets.c
# takes frontends/console/ and the core of checker/. All but the page stand
# below a folder that is called by the hash of all of them; @HASH@ in the page
# is that name.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."

# Lines of path in the console, and where it is.
files() {
    find frontends/console -type f ! -name index.html ! -path '*/npm/*' |
        while read -r file; do
            echo "${file#frontends/console/} $file"
        done
    [ ! -d checker ] || find checker -name '*.mjs' ! -name cli.mjs |
        while read -r file; do
            echo "$file $file"
        done
}

media() { # PATH
    case $1 in
    *.mjs) echo 'text/javascript; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.html | '') echo 'text/html; charset=utf-8' ;;
    *) echo 'text/plain; charset=utf-8' ;;
    esac
}

hash() { sha256sum | cut -c 1-16; }

n=0
rows=
embed() { # PATH HASH, the bytes on stdin
    printf 'static const unsigned char file_%d[] = {\n' "$n"
    od -An -v -tu1 | sed 's/  */,/g; s/^,//; s/$/,/'
    printf '    0};\n\n'
    rows="$rows    {\"$1\", \"$(media "$1")\", \"\\\"$2\\\"\",
     (const char *)file_$n, sizeof(file_$n) - 1},
"
    n=$((n + 1))
}

list=$(files | sort)
all=$(echo "$list" | while read -r path file; do
    printf '%s ' "$path" && sha256sum <"$file"
done | hash)

printf '/* Made by tools/embed_console.sh. */\n#include "rest/console.h"\n\n'
page=$(sed "s/@HASH@/$all/g" frontends/console/index.html)
tag=$(printf '%s\n' "$page" | hash)
embed '' "$tag" <<END
$page
END
while read -r path file; do
    embed "$all/$path" "$(hash <"$file")" <"$file"
done <<END
$list
END
printf 'const struct console_file console_files[] = {\n%s};\n\n' "$rows"
printf 'const size_t console_file_count =\n'
printf '    sizeof(console_files) / sizeof(console_files[0]);\n'
