#!/bin/sh
# Builds bugs.cc in many ways, runs each bug on several inputs, and leaves one report a
# run: OUT/VARIANT/BUG-INPUT.txt. A variant whose compiler or debugger is missing is
# passed over.
#
#   collect.sh OUT
set -u

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: collect.sh OUT}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Reports have paths of sources in them, which must not be this machine's.
map="-ffile-prefix-map=$here=/src -fdebug-prefix-map=$here=/src"
bugs=45
inputs="a b c"
limits="-timeout=5 -rss_limit_mb=1024"
export ASAN_OPTIONS=handle_abort=1:detect_leaks=0:allocator_may_return_null=0:symbolize_inline_frames=1
export UBSAN_OPTIONS=print_stacktrace=1
export ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer || echo)

has() { command -v "$1" >/dev/null; }

# input NAME BUG: alone or inside of a block, with other data and lengths.
input() {
  octal=$(printf '%03o' "$2")
  case $1 in
    a) printf "\\$octal\\007abcdef" ;;
    b) printf "\\$octal\\011zyxwvutsrqponm" ;;
    c) printf "\\310\\$octal\\013ABCD" ;;
  esac
}

# build NAME COMPILER FLAGS…
build() {
  name=$1 compiler=$2
  shift 2
  has "${compiler%% *}" || return 0
  # shellcheck disable=SC2086 # lists of words
  $compiler -fno-omit-frame-pointer $map "$@" "$here/bugs.cc" $driver -o "$work/$name" 2>"$work/log" ||
    { echo "collect: $name does not build: $(head -n 1 "$work/log")" >&2; return 0; }
}

# run NAME COMMAND…: every bug on every input; the file's name is the last argument.
run() {
  name=$1
  shift
  [ -x "$work/$name" ] || return 0
  mkdir -p "$out/$name"
  for bug in $(seq $bugs); do
    for kind in $inputs; do
      input "$kind" "$bug" >"$work/input"
      (ulimit -c 0; cd "$work" && timeout 20 "$@" ./input >"$out/$name/$bug-$kind.txt" 2>&1)
      # What does not crash in this build has no report.
      [ $? -ne 0 ] || [ -n "${by_debugger:-}" ] || rm -f "$out/$name/$bug-$kind.txt"
      [ -z "${by_debugger:-}" ] || grep -q 'received signal' "$out/$name/$bug-$kind.txt" ||
        rm -f "$out/$name/$bug-$kind.txt"
    done
  done
  rm -f "$work"/crash-* "$work"/timeout-* "$work"/oom-* "$work"/leak-*
}

mkdir -p "$out"
out=$(cd "$out" && pwd)
driver=
for level in 0 1 2 3; do
  build "clang-asan-O$level" clang++ -g -O$level -fsanitize=fuzzer,address
done
build clang-asan-lines-O2 clang++ -gline-tables-only -O2 -fsanitize=fuzzer,address
build clang-ubsan-O1 clang++ -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
build clang-plain-O1 clang++ -g -O1 -fsanitize=fuzzer
build clang-plain-O2 clang++ -g -O2 -fsanitize=fuzzer
has clang && clang -c "$here/driver.c" -o "$work/driver.o" && driver=$work/driver.o
has gcc && gcc -c "$here/driver.c" -o "$work/driver.o" && driver=$work/driver.o
build gcc-asan-O0 g++ -g -O0 -fsanitize=address
build gcc-asan-O2 g++ -g -O2 -fsanitize=address
build gcc-gdb-O0 g++ -g -O0
build gcc-gdb-O2 g++ -g -O2

for name in clang-asan-O0 clang-asan-O1 clang-asan-O2 clang-asan-O3 clang-asan-lines-O2 \
  clang-ubsan-O1 clang-plain-O1 clang-plain-O2; do
  # shellcheck disable=SC2086 # a list of words
  run $name "./$name" $limits
done
for name in gcc-asan-O0 gcc-asan-O2; do run $name "./$name"; done
by_debugger=yes
inputs="a c"
for name in gcc-gdb-O0 gcc-gdb-O2; do
  has gdb && run $name timeout 12 gdb -batch -ex run -ex 'bt 100' --args "./$name"
done
