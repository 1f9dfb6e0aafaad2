#!/bin/sh
# SPDX-License-Identifier: MIT
# docs-programs.sh - compiles the programs of docs/runtime.md as a user would, against an installed copy, and compares
# what they print with the page. A program is a ```c block with a main; the ```text block behind it is its output.
# Prints TAP.
set -u
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

awk -v folder="$folder" '
  /^```c$/    { block = "c"; text = ""; next }
  /^```text$/ { block = "text"; text = ""; next }
  /^```$/ {
    if (block == "c" && text ~ /\nint main\(/) printf "%s", text > (folder "/" ++n ".c")
    if (block == "text" && n) printf "%s", text > (folder "/" n ".expected")
    block = ""
    next
  }
  block { text = text $0 "\n" }
' "$GMPSCOPE_SOURCE/docs/runtime.md"

n=0
for source in "$folder"/*.c; do
  n=$((n + 1))
  program=${source%.c}
  # shellcheck disable=SC2046
  if cc -Wall -Wextra -Werror -O2 -o "$program" "$source" $(pkg-config --cflags --libs gmpscope-rt) 2>"$folder/cc.log" &&
    timeout 30 "$program" >"$program.out" && cmp -s "$program.out" "$program.expected"; then
    echo "ok $n - program $n of docs/runtime.md prints what the page says"
  else
    echo "not ok $n - program $n of docs/runtime.md prints what the page says"
    sed 's/^/# /' "$folder/cc.log"
    diff "$program.expected" "$program.out" 2>&1 | sed 's/^/# /'
  fi
done
echo "1..$n"
[ "$n" -ge 3 ] || echo "not ok $((n + 1)) - docs/runtime.md has three programs"
