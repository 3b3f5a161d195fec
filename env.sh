# shellcheck shell=sh
# . ./env.sh    in the root of the checkout, after make: puts build/ on PATH
#               and lets ATE_DATA be a folder to throw away.
if [ -x build/ate ]; then
    PATH="$PWD/build:$PATH"
    ATE_DATA=$(mktemp -d)
    export PATH ATE_DATA
    echo "ate is on PATH, its data goes to $ATE_DATA (a scratch folder)"
else
    echo 'env.sh: no build/ate here; run make, then . ./env.sh in the root of the checkout' >&2
fi
