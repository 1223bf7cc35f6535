#!/bin/sh
# Checks deploy/kubernetes against the JSON schemas of Kubernetes' API, which the Python package
# kubernetes-validate has in it: unknown fields and wrong types are faults.
#
# Exit 69: kubectl or Python with venv is missing, or the package cannot be had.
set -eu
cd "$(dirname "$0")/../.."
version=1.37.0
tools=$PWD/.tools/kubernetes-validate
command -v kubectl >/dev/null || { echo "deploy-check: kubectl is missing" >&2; exit 69; }
if ! "$tools/bin/kubernetes-validate" --version 2>/dev/null | grep -qx "$version"; then
  echo "deploy-check: bringing kubernetes-validate $version"
  rm -rf "$tools"
  python3 -m venv "$tools" && "$tools/bin/python3" -m pip install --quiet --disable-pip-version-check \
    "kubernetes-validate==$version" || exit 69
fi
manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
kubectl kustomize deploy/kubernetes >"$manifests"
"$tools/bin/kubernetes-validate" --strict "$manifests"
