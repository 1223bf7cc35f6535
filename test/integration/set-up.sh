#!/bin/sh
# libfaketime, for the test that sets a master's clock: fetched where root may.
#
# Exit 69 (EX_UNAVAILABLE): it is missing and could not be installed.
set -eu

package=libfaketime
unavailable() { echo "set-up: $*" >&2; exit 69; }

# The loader puts the machine's own folder for $LIB; the test names it the same way.
is_there() { [ -n "$(LD_PRELOAD="/usr/\$LIB/faketime/libfaketimeMT.so.1" FAKETIME="@2000-01-01 12:00:00" date +%Y 2>/dev/null | grep -x 2000)" ]; }

# An apt-get that updates its lists only where they do not know the package.
install() {
  apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >/dev/null; }
  apt_get install -y --no-install-recommends $package 2>/dev/null ||
    { apt_get update && apt_get install -y --no-install-recommends $package; } ||
    unavailable "apt-get could not install $package"
}

if is_there; then exit; fi
command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
  unavailable "missing: libfaketime. Install (Debian's name): $package"
echo "set-up: installing $package"
install
is_there || unavailable "still missing: libfaketime"
