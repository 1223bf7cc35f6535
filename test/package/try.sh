#!/bin/sh
# Packs PandaFuzz as npm does, installs the package in empty folders, and fuzzes with it, on
# each Node it is given.
#
#   try.sh FOLDER [NODE...]   FOLDER: for the package; NODE: programs, or the PATH's node alone
#
# Exit 69: a tool for the demo target is missing. Any other failure: the package does not work.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
packages=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- "$(command -v node)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$here/.tools/npm-cache/_npx"' EXIT
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
# Kept for the next time, apart from what npx installs from this very package.
export npm_config_cache="$here/.tools/npm-cache" npm_config_prefer_offline=true

"$here/examples/demo/build-target.sh" "$scratch/target"
rm -f "$packages"/pandafuzz-*.tgz
(cd "$here" && npm pack --ignore-scripts --silent --pack-destination "$scratch" >/dev/null)
package=$(basename "$scratch"/pandafuzz-*.tgz)
cp "$scratch/$package" "$packages/"
expected=$(node -p "require('$here/package.json').version")

# Fuzzes for a few seconds with the command given.
fuzzes() {
  "$@" fuzz "$scratch/target" --seeds "$here/examples/demo/seeds" --duration 5s --dir ./found --json >result.json 2>log || {
    tail -n 20 log >&2
    return 1
  }
  node -e 'const { executions, groups } = JSON.parse(require("fs").readFileSync("result.json"));
    if (!(executions > 0)) throw new Error("nothing was executed");
    console.log(`  ${executions} executions, ${groups.length} bugs`);'
}

for program; do
  case $program in /*) ;; *) program=$here/$program ;; esac
  PATH=$(dirname "$program"):$PATH
  cd "$scratch" # the folder of the Node before is gone
  echo "Node $(node --version), npm $(npm --version)"
  empty=$(mktemp -d "$scratch/empty.XXXXXX")
  cd "$empty"
  npm install --silent --global --prefix "$empty/global" "$scratch/$package"
  version=$("$empty/global/bin/pandafuzz" --version)
  [ "$version" = "$expected" ] || { echo "it says $version, not $expected" >&2; exit 1; }
  echo "  installed: $(du -sm global | cut -f 1) MiB in $(find global -type f | wc -l) files"
  fuzzes "$empty/global/bin/pandafuzz"
  mkdir "$empty/npx"
  cd "$empty/npx"
  fuzzes npx --yes --package "$scratch/$package" pandafuzz
  rm -rf "$empty"
done
echo "package: $packages/$package, $(($(wc -c <"$packages/$package") / 1024)) KiB, works"
