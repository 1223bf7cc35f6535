import { fromBinary, type JsonValue, toJson } from '@bufbuild/protobuf';
import type { StatusObject } from '@grpc/grpc-js';
import { Status } from '../../gen/google/rpc/status.js';
import { nameOf } from './codes.js';
import { ofDetails } from './descriptors.js';

/** An error as Connect writes it: in the body of a unary answer, or at the end of a stream. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { type: string; value: string; debug?: JsonValue }[];
}

export function wireErrorOf({
  code,
  details: message,
  metadata,
}: Partial<StatusObject>): WireError {
  const [packed] = metadata?.get('grpc-status-details-bin') ?? [];
  const details = packed instanceof Buffer ? Status.decode(packed).details : [];
  return {
    code: nameOf(code ?? 2),
    message: message ?? '',
    ...(details.length > 0 && { details: details.map(detailOf) }),
  };
}

function detailOf({ typeUrl, value }: { typeUrl: string; value: Uint8Array }) {
  const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const base64 = Buffer.from(value).toString('base64').replaceAll('=', '');
  const registry = ofDetails();
  const schema = registry.getMessage(type);
  const debug = schema && toJson(schema, fromBinary(schema, value), { registry });
  return { type, value: base64, ...(debug !== undefined && { debug }) };
}
