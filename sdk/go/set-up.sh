#!/bin/sh
# Makes the code of the contract in generated/, and builds the bot: ./bot. Needs Go, and buf on the PATH
# (`make build` in the repository's top brings one in node_modules/.bin).
set -eu
cd "$(dirname "$0")"
PATH=$PATH:$PWD/../../node_modules/.bin
GOBIN=$PWD/.tools go install google.golang.org/protobuf/cmd/protoc-gen-go
GOBIN=$PWD/.tools go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1
buf generate
go build -o bot .
