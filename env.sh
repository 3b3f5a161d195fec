# shellcheck shell=sh
# . ./env.sh    in the root of the checkout, after make: puts build/ on PATH
#               and its pages on MANPATH, and lets ATE_DATA be a folder to
#               throw away.
if [ -x build/ate ]; then
    PATH="$PWD/build:$PATH"
    ATE_DATA=$(mktemp -d)
    # The pages of docs, for man; those of each command come with make install.
    if [ -e docs/ate.1 ]; then
        mkdir -p build/man/man1 build/man/man5
        ln -sf "$PWD/docs/ate.1" build/man/man1/ate.1
        ln -sf "$PWD/docs/ate-format.5" build/man/man5/ate-format.5
        MANPATH="$PWD/build/man:${MANPATH-}" # the empty one is man's own
        export MANPATH
    fi
    export PATH ATE_DATA
    echo "ate is on PATH, its data goes to $ATE_DATA (a scratch folder)"
else
    echo 'env.sh: no build/ate here; run make, then . ./env.sh in the root of the checkout' >&2
fi
