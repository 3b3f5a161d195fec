#!/bin/sh
# Build the Debian packages ate and ate-dev into BUILD/deb.
#     tools/deb.sh BUILD
# Debian's tools write beside the tree that they build: they get a copy.
set -eu
build=$(mkdir -p "$1" && cd "$1" && pwd)
tree=$build/deb/tree
rm -rf "$build/deb"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard |
    tar -c --null --files-from=- --ignore-failed-read 2>/dev/null |
    tar -x -C "$tree"
cd "$tree"
dpkg-buildpackage --build=binary --no-sign --jobs=2
cd ..
rm -rf tree
if command -v lintian >/dev/null; then
    # Whoever publishes them has an address.
    lintian --allow-root --fail-on error,warning --suppress-tags \
        bogus-mail-host,bogus-mail-host-in-debian-changelog ./*.changes
fi
ls ./*.deb
