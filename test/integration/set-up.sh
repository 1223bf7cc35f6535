#!/bin/sh
# What tests need besides clang. Debian packages, fetched where root may: libfaketime, to set
# a master's clock; strace, to count syncs and make them fail; glog and Abseil, to build targets
# whose bugs are found by their checks; AFL++; bubblewrap, which bots keep runs apart with;
# Chromium, to look at the page; zsh and fish, to complete commands in; PostgreSQL, to keep a store in;
# Prometheus, to ask what alerts and the dashboard ask.
# Into .tools/: Atheris, a target in Rust, a test binary in Go, honggfuzz, and Jazzer.js where the
# C library is new enough for it. Where one of those cannot be had this says so, and so do the
# names of the tests that need it.
#
# Exit 69 (EX_UNAVAILABLE): a package is missing and could not be installed.
set -eu
cd "$(dirname "$0")/../.."
tools=$PWD/.tools
atheris_version=3.0.0

packages="libfaketime strace libgoogle-glog-dev libabsl-dev afl++ bubblewrap chromium zsh fish postgresql prometheus"
unavailable() { echo "set-up: $*" >&2; exit 69; }

# The loader puts the machine's own folder for $LIB; the test names it the same way.
has_faketime() { [ -n "$(LD_PRELOAD="/usr/\$LIB/faketime/libfaketimeMT.so.1" FAKETIME="@2000-01-01 12:00:00" date +%Y 2>/dev/null | grep -x 2000)" ]; }

has_glog() { [ -e /usr/include/glog/logging.h ]; }

has_bubblewrap() { command -v bwrap >/dev/null; }

has_chromium() { command -v chromium >/dev/null; }

has_postgresql() { [ -n "${POSTGRES_BIN:-}" ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }

has_abseil() { [ -e /usr/include/absl/status/statusor.h ]; }

has_afl() { command -v afl-fuzz >/dev/null && command -v afl-clang-fast >/dev/null; }

missing() {
  has_faketime || echo libfaketime
  command -v strace >/dev/null || echo strace
  has_glog || echo libgoogle-glog-dev
  has_abseil || echo libabsl-dev
  has_afl || echo afl++
  has_bubblewrap || echo bubblewrap
  has_chromium || echo chromium
  command -v zsh >/dev/null || echo zsh
  command -v fish >/dev/null || echo fish
  has_postgresql || echo postgresql
  command -v prometheus >/dev/null || echo prometheus
}

# An apt-get that updates its lists only where they do not know the packages.
install() {
  apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >/dev/null; }
  # shellcheck disable=SC2086 # a list of words
  apt_get install -y --no-install-recommends $packages 2>/dev/null ||
    { apt_get update && apt_get install -y --no-install-recommends $packages; } ||
    unavailable "apt-get could not install $packages"
}

bring_packages() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
    unavailable "missing: $(missing | paste -sd ' ' -). Install (Debian's names): $packages"
  echo "set-up: installing $packages"
  install
  [ -z "$(missing)" ] || unavailable "still missing: $(missing | paste -sd ' ' -)"
}

skipped() { echo "set-up: $1: the tests of $2 are skipped" >&2; }

has_atheris() {
  [ "$("$tools/atheris/bin/python3" -c 'import atheris, importlib.metadata as m; print(m.version("atheris"))' \
    2>/dev/null)" = "$atheris_version" ]
}

# Only a wheel: building Atheris needs a source tree of LLVM.
bring_atheris() {
  echo "set-up: bringing Atheris $atheris_version"
  rm -rf "$tools/atheris"
  if python3 -m venv "$tools/atheris" &&
    "$tools/atheris/bin/python3" -m pip install --quiet --disable-pip-version-check \
      --only-binary :all: "atheris==$atheris_version" && has_atheris; then return; fi
  rm -rf "$tools/atheris"
  skipped "python3 with venv, or a wheel of Atheris for it, cannot be had" "a Python target"
}

# As cargo-fuzz builds with --sanitizer none, which a stable Rust can. A target is named, so that
# build scripts are not instrumented.
build_panics() {
  project=test/bot/programs/panics
  if ! cargo fetch --quiet --manifest-path $project/Cargo.toml; then
    rm -rf "$tools/panics"
    skipped "cargo, or a crate, cannot be had" "a Rust target"
    return
  fi
  machine=$(rustc -vV | sed -n 's/^host: //p')
  coverage="-Cllvm-args=-sanitizer-coverage"
  export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 $coverage-level=4 \
    $coverage-inline-8bit-counters $coverage-pc-table $coverage-trace-compares"
  [ -e "$tools/panics/panics" ] || echo "set-up: building a target in Rust"
  cargo build --quiet --offline --release --target "$machine" \
    --manifest-path $project/Cargo.toml --target-dir "$tools/panics"
  cp "$tools/panics/$machine/release/panics" "$tools/panics/panics"
}

# The instrumented standard library is in Go's own cache after the first time.
build_planted() {
  project=test/bot/programs/gofuzz
  out=$tools/gofuzz/planted.test
  [ -z "$(find "$out" -newer $project/planted.go -newer $project/planted_test.go 2>/dev/null)" ] || return 0
  mkdir -p "$tools/gofuzz"
  if ! command -v go >/dev/null; then
    skipped "there is no go on the PATH" "Go's fuzzing"
  elif echo "set-up: building a test binary in Go" &&
    (cd $project && go test -c -fuzz=. -o "$out.tmp" .); then
    mv "$out.tmp" "$out"
  else
    skipped "go cannot build a test binary" "Go's fuzzing"
  fi
}

honggfuzz_version=0.5.62 # of the crate, which has the C sources of honggfuzz 2.6
honggfuzz_packages="binutils-dev libunwind-dev liblzma-dev zlib1g-dev make gcc"

# Debian has no honggfuzz; the crate of that name ships its sources.
build_honggfuzz() {
  echo "set-up: building honggfuzz"
  at=$tools/honggfuzz
  rm -rf "$at"
  mkdir -p "$at/fetch/src" "$at/build"
  printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nhonggfuzz = "=%s"\n' \
    $honggfuzz_version >"$at/fetch/Cargo.toml"
  : >"$at/fetch/src/lib.rs"
  cargo fetch --quiet --manifest-path "$at/fetch/Cargo.toml" || return
  sources=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -maxdepth 2 -name "honggfuzz-$honggfuzz_version" | head -n 1)
  [ -n "$sources" ] || return
  build=$at/build
  make -s -C "$sources/honggfuzz" BUILD_DIR="$build" "$build/honggfuzz" \
    "$build/libhfuzz/libhfuzz.a" "$build/libhfcommon/libhfcommon.a" >"$at/build.log" 2>&1 || return
  cp "$build/libhfuzz/libhfuzz.a" "$build/libhfcommon/libhfcommon.a" "$at/"
  mv "$build/honggfuzz" "$at/honggfuzz" # the last: it tells that all is there
  rm -rf "$build"
}

bring_honggfuzz() {
  [ ! -x "$tools/honggfuzz/honggfuzz" ] || return 0
  for header in bfd.h libunwind.h lzma.h zlib.h; do
    [ -z "$(find /usr/include -maxdepth 2 -name $header 2>/dev/null | head -n 1)" ] || continue
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || break
    packages=$honggfuzz_packages
    echo "set-up: installing $packages"
    (install) || true
    break
  done
  build_honggfuzz ||
    skipped "cargo cannot fetch honggfuzz, or it does not build (needs $honggfuzz_packages)" "honggfuzz"
}

# Its prebuilt addon names this version of the C library.
jazzer_version=4.0.0
jazzer_glibc=2.38

bring_jazzer() {
  [ ! -x "$tools/jazzer/node_modules/.bin/jazzer" ] || return 0
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')
  if [ "$(printf '%s\n' "$jazzer_glibc" "${glibc:-0}" | sort -V | head -n 1)" != "$jazzer_glibc" ]; then
    skipped "Jazzer.js needs glibc $jazzer_glibc, and this machine has ${glibc:-none}" \
      "the real Jazzer.js (a stand-in takes its flags in another one)"
    return 0
  fi
  echo "set-up: bringing Jazzer.js $jazzer_version"
  npm --no-audit --no-fund --loglevel=error install --prefix "$tools/jazzer" --no-save \
    "@jazzer.js/core@$jazzer_version" >/dev/null ||
    skipped "npm cannot install Jazzer.js" "the real Jazzer.js"
}

[ -z "$(missing)" ] || bring_packages
has_atheris || bring_atheris
build_panics
build_planted
bring_honggfuzz
bring_jazzer
