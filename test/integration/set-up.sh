#!/bin/sh
# What tests need besides clang. Debian packages, fetched where root may: libfaketime, to set
# a master's clock; glog and Abseil, to build targets whose bugs are found by their checks;
# bubblewrap, which bots keep runs apart with.
# Into .tools/: Atheris, and a target in Rust. Where those two cannot be had this says so,
# and so do the names of the tests that need them.
#
# Exit 69 (EX_UNAVAILABLE): a package is missing and could not be installed.
set -eu
cd "$(dirname "$0")/../.."
tools=$PWD/.tools
atheris_version=3.0.0

packages="libfaketime libgoogle-glog-dev libabsl-dev bubblewrap"
unavailable() { echo "set-up: $*" >&2; exit 69; }

# The loader puts the machine's own folder for $LIB; the test names it the same way.
has_faketime() { [ -n "$(LD_PRELOAD="/usr/\$LIB/faketime/libfaketimeMT.so.1" FAKETIME="@2000-01-01 12:00:00" date +%Y 2>/dev/null | grep -x 2000)" ]; }

has_glog() { [ -e /usr/include/glog/logging.h ]; }

has_bubblewrap() { command -v bwrap >/dev/null; }

has_abseil() { [ -e /usr/include/absl/status/statusor.h ]; }

missing() {
  has_faketime || echo libfaketime
  has_glog || echo libgoogle-glog-dev
  has_abseil || echo libabsl-dev
  has_bubblewrap || echo bubblewrap
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

[ -z "$(missing)" ] || bring_packages
has_atheris || bring_atheris
build_panics
