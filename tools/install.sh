#!/bin/sh
# Install what was built.
#     tools/install.sh BUILD DESTDIR PREFIX LIBDIR
set -eu
build=$1
root=$2$3
share=$root/share
lib=$2$4
version=$("$build/ate" --version)
version=${version#ate }

install -d "$lib/pkgconfig"
install -D -m 755 "$build/ate" "$root/bin/ate"
install -D -m 644 "$build/libate.so" "$lib/libate.so"
install -D -m 755 "$build/ate.so" "$lib/lua/5.1/ate.so"
install -D -m 644 engine/ate.h "$root/include/ate.h"
install -D -m 644 docs/ate.1 "$share/man/man1/ate.1"
for name in $("$build/ate" complete ''); do
    "$build/ate" help --mdoc "$name" >"$share/man/man1/ate-$name.1"
    chmod 644 "$share/man/man1/ate-$name.1"
done
install -D -m 644 docs/ate-format.5 "$share/man/man5/ate-format.5"
"$build/ate" help --mdoc ate.conf >"$share/man/man5/ate.conf.5"
chmod 644 "$share/man/man5/ate.conf.5"

# Units of systemd, and the configuration that they name: one that is there is
# somebody's.
etc=$3/etc
[ "$3" != /usr ] || etc=/etc
for unit in ate.service ate.socket; do
    install -d "$root/lib/systemd/system"
    sed -e "s,@BIN@,$3/bin,g" -e "s,@ETC@,$etc,g" "tools/service/$unit" \
        >"$root/lib/systemd/system/$unit"
    chmod 644 "$root/lib/systemd/system/$unit"
done
[ -e "$2$etc/ate/ate.conf.lua" ] ||
    install -D -m 644 lua/cli/templates/ate.conf.lua "$2$etc/ate/ate.conf.lua"
cat >"$lib/pkgconfig/ate.pc" <<END
prefix=$3
libdir=$4
includedir=\${prefix}/include

Name: ate
Description: business logic in Lua on logs that nobody can forge
Version: $version
Libs: -L\${libdir} -late
Cflags: -I\${includedir}
END
chmod 644 "$lib/pkgconfig/ate.pc"

# Each where its shell looks for those of packages.
from=lua/cli/completion
install -D -m 644 "$from/bash" "$share/bash-completion/completions/ate"
install -D -m 644 "$from/zsh" "$share/zsh/site-functions/_ate"
install -D -m 644 "$from/fish" "$share/fish/vendor_completions.d/ate.fish"

# For authors of schemas: what editors and luacheck are told. `ate new` writes
# the same into a project.
from=lua/author
install -D -m 644 "$from/luacheckrc" "$share/ate/luacheckrc"
install -D -m 644 "$from/ate.lua" "$share/ate/luals/ate.lua"
install -D -m 644 "$from/sandbox.lua" "$share/ate/luals/sandbox.lua"
install -D -m 644 "$from/test.lua" "$share/ate/luals/ate/test.lua"
