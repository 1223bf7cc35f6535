// Calls methods with raw messages and prints what their statuses say, as JSON:
// client ADDRESS METHOD HEX [METHOD HEX ...]
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	_ "google.golang.org/genproto/googleapis/rpc/errdetails" // registers the types that Any may hold
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// raw sends and receives bytes as they are.
type raw struct{}

func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }

func (raw) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (raw) Name() string { return "proto" }

type answer struct {
	Code    string            `json:"code"`
	Message string            `json:"message"`
	Details []json.RawMessage `json:"details"`
}

func call(connection *grpc.ClientConn, method string, message []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var response []byte
	err := connection.Invoke(ctx, method, &message, &response, grpc.ForceCodec(raw{}))
	told := status.Convert(err)
	result := answer{Code: told.Code().String(), Message: told.Message(), Details: []json.RawMessage{}}
	for _, detail := range told.Proto().GetDetails() {
		text, err := protojson.Marshal(detail)
		if err != nil {
			return result, err
		}
		result.Details = append(result.Details, text)
	}
	return result, nil
}

func run(address string, arguments []string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	answers := []answer{}
	for ; len(arguments) >= 2; arguments = arguments[2:] {
		message, err := hex.DecodeString(arguments[1])
		if err != nil {
			return err
		}
		told, err := call(connection, arguments[0], message)
		if err != nil {
			return err
		}
		answers = append(answers, told)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
