# SPDX-License-Identifier: MIT
# installed.sh - to be sourced: installs what was built into $folder/root, a new folder that goes when the test ends, and
# lets pkg-config and the loader find it there. verdict CODE WORDS says how a point of the test ended; n counts them.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

DESTDIR=$folder/root meson install -C "$GMPSCOPE_BUILD" --no-rebuild >"$folder/install.log" 2>&1 || {
  echo "Bail out! meson install failed"
  exit 1
}
pc=$(find "$folder/root" -name gmpscope-rt.pc)
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$folder/root"
LD_LIBRARY_PATH=$folder/root$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=libdir gmpscope-rt)
export LD_LIBRARY_PATH

n=0
verdict() {
  n=$((n + 1))
  [ "$1" = 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
}
