#!/bin/sh
# Clients in other languages, and grpcurl, for the tests: into .tools/. Where a
# toolchain is missing this says so, and so do the tests that need it.
set -eu
cd "$(dirname "$0")/../.."
tools=$PWD/.tools
grpcurl_version=v1.9.3

if command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1; then
  echo "set-up: bringing the Python client's grpcio"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --upgrade --target "$tools/python" --requirement test/languages/python/requirements.txt
else
  echo "set-up: python3 with pip is missing: the tests of a Python client are skipped"
fi

if command -v go >/dev/null; then
  echo "set-up: building the Go client and grpcurl"
  (cd test/languages/go && go build -o "$tools/bin/go-client" .)
  GOBIN="$tools/bin" go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$grpcurl_version"
else
  echo "set-up: go is missing: the tests of a Go client and with grpcurl are skipped"
fi
mkdir -p "$tools"
touch "$tools/clients.done"
