#!/bin/sh
# Makes a virtual environment with gRPC in .venv/, and the code of the contract in generated/.
# PYTHON names another Python than python3.
set -eu
cd "$(dirname "$0")"
proto=../../proto
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
rm -rf generated
mkdir generated
.venv/bin/python -m grpc_tools.protoc --proto_path "$proto" --python_out generated --grpc_python_out generated \
  "$proto"/pandafuzz/v1/*.proto
