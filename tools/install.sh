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
