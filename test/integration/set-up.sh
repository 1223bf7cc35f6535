#!/bin/sh
# What tests need besides clang: libfaketime, to set a master's clock, and glog, to build a
# target whose bugs are found by its checks. Fetched where root may.
#
# Exit 69 (EX_UNAVAILABLE): something is missing and could not be installed.
set -eu

packages="libfaketime libgoogle-glog-dev"
unavailable() { echo "set-up: $*" >&2; exit 69; }

# The loader puts the machine's own folder for $LIB; the test names it the same way.
has_faketime() { [ -n "$(LD_PRELOAD="/usr/\$LIB/faketime/libfaketimeMT.so.1" FAKETIME="@2000-01-01 12:00:00" date +%Y 2>/dev/null | grep -x 2000)" ]; }

has_glog() { [ -e /usr/include/glog/logging.h ]; }

missing() {
  has_faketime || echo libfaketime
  has_glog || echo libgoogle-glog-dev
}

# An apt-get that updates its lists only where they do not know the packages.
install() {
  apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >/dev/null; }
  # shellcheck disable=SC2086 # a list of words
  apt_get install -y --no-install-recommends $packages 2>/dev/null ||
    { apt_get update && apt_get install -y --no-install-recommends $packages; } ||
    unavailable "apt-get could not install $packages"
}

[ -n "$(missing)" ] || exit 0
command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
  unavailable "missing: $(missing | paste -sd ' ' -). Install (Debian's names): $packages"
echo "set-up: installing $packages"
install
[ -z "$(missing)" ] || unavailable "still missing: $(missing | paste -sd ' ' -)"
