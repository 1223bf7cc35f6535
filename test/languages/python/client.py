"""Calls methods with raw messages and prints what their statuses say, as JSON.

client.py ADDRESS METHOD HEX [METHOD HEX ...]
"""

import json
import sys

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2  # registers the types that Any may hold
from grpc_status import rpc_status


def call(channel, method, message):
    try:
        channel.unary_unary(method)(message, timeout=5)
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        return {
            "code": error.code().name,
            "message": error.details(),
            "details": [json_format.MessageToDict(detail) for detail in status.details],
        }
    return {"code": "OK", "message": "", "details": []}


assert error_details_pb2
with grpc.insecure_channel(sys.argv[1]) as channel:
    pairs = zip(sys.argv[2::2], sys.argv[3::2])
    answers = [call(channel, method, bytes.fromhex(message)) for method, message in pairs]
print(json.dumps(answers))
