#!/bin/sh
# Builds the demo fuzz target, fetching clang first where root may.
#
#   build-target.sh OUT            the target, at OUT (nothing to do when OUT is newer)
#   build-target.sh --tools-only   only the tools
#
# Exit 69 (EX_UNAVAILABLE): a tool is missing and could not be installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
source=$here/target.c
packages="clang libclang-rt-dev llvm" # compiler, libFuzzer and ASan runtimes, llvm-symbolizer

usage() { echo "usage: build-target.sh OUT | --tools-only" >&2; exit 64; }
unavailable() { echo "build-target: $*" >&2; exit 69; }

# Prints clang's name: `clang`, or else the newest `clang-N` on the PATH.
find_clang() {
  if command -v clang; then return; fi
  newest=$(echo "$PATH" | tr : '\n' | while read -r dir; do ls "$dir" 2>/dev/null || :; done |
    sed -n 's/^clang-\([0-9][0-9]*\)$/\1/p' | sort -n | tail -n 1)
  [ -n "$newest" ] && command -v "clang-$newest"
}

# Prints what is missing. ASan looks for `llvm-symbolizer` under just that name,
# and clang without its runtimes fails only when it links: so link something.
missing_tools() {
  if clang=$(find_clang); then
    echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && !n; }' |
      "$clang" -fsanitize=fuzzer,address -x c - -o "$scratch/probe" 2>/dev/null ||
      echo "the libFuzzer and ASan runtimes of $clang"
  else
    echo "clang"
  fi
  command -v llvm-symbolizer >/dev/null || echo "llvm-symbolizer"
}

# An apt-get that updates its lists only where they do not know the packages.
install_tools() {
  apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$scratch/apt.log" 2>&1; }
  # shellcheck disable=SC2086 # a list of words
  apt_get install -y --no-install-recommends $packages ||
    { apt_get update && apt_get install -y --no-install-recommends $packages; } ||
    { cat "$scratch/apt.log" >&2; unavailable "apt-get could not install $packages"; }
}

ensure_tools() {
  missing=$(missing_tools)
  if [ -n "$missing" ]; then
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
      unavailable "missing: $(echo "$missing" | paste -sd , -). Install (Debian's names): $packages"
    echo "build-target: installing $packages"
    install_tools
    missing=$(missing_tools)
    [ -z "$missing" ] || unavailable "still missing: $(echo "$missing" | paste -sd , -)"
  fi
  echo "build-target: using $(find_clang) and $(command -v llvm-symbolizer)"
}

[ $# -eq 1 ] || usage
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

case $1 in
  --tools-only) ensure_tools; exit ;;
  -* | '') usage ;;
esac

out=$1
if [ -n "$(find "$out" -newer "$source" -newer "$0" 2>/dev/null)" ]; then
  echo "build-target: $out is up to date"
  exit
fi
ensure_tools
"$(find_clang)" -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address "$source" -o "$out.tmp.$$"
mv "$out.tmp.$$" "$out"
echo "build-target: built $out"
