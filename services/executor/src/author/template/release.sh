#!/bin/sh
# Makes the packages of one release below dist/release: sh .github/release VERSION
#
# PUBLISHER_KEY is base64 of the signing key (PEM, PKCS#8, Ed25519). MODULE may name a module that
# has been built already. What comes out is what `aileron connector pack` and `sign` make.
set -eu
umask 077
version=$1
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
key=$(mktemp)
trap 'rm -f "$key"' EXIT
printf %s "$PUBLISHER_KEY" | base64 -d >"$key"

module=${MODULE:-}
if [ -z "$module" ]; then
    # No path of this machine ends up in the module.
    crates=${CARGO_HOME:-$HOME/.cargo}
    RUSTFLAGS="--remap-path-prefix=$root=/connector --remap-path-prefix=$crates=/crates" \
        cargo build --locked --release --package connector --target wasm32-wasip1
    module=target/wasm32-wasip1/release/connector.wasm
fi

# sign FOLDER FILE…: the signature covers the files, one after another.
sign() (
    cd "$1"
    shift
    cat "$@" >message
    openssl pkeyutl -sign -rawin -inkey "$key" -in message -out signature.sig
    rm message
    tar --format=ustar --owner=0 --group=0 --mode=0644 --mtime=@0 -czf aileron.tar.gz "$@" \
        signature.sig
)

out=dist/release
rm -rf "$out"
connector=$out/v$version
mkdir -p "$connector"
cp "$module" "$connector/connector.wasm"
sed "s/0\.0\.0-dev/$version/g" connector/manifest.toml >"$connector/manifest.toml"
hash=$(cat "$connector/connector.wasm" "$connector/manifest.toml" | sha256sum | cut -d ' ' -f 1)
sign "$connector" connector.wasm manifest.toml

for action in actions/*/action.md; do
    folder=$out/$(dirname "$action")/v$version
    mkdir -p "$folder"
    sed -e "s/0\.0\.0-dev/$version/g" -e "s/sha256:bound-at-release/sha256:$hash/g" \
        "$action" >"$folder/action.md"
    sign "$folder" action.md
done
if grep -rlE '0\.0\.0-dev|bound-at-release' --include=manifest.toml --include=action.md "$out"; then
    echo "these files still hold a placeholder" >&2
    exit 1
fi
