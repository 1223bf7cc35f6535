import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { FieldError } from '@bufbuild/protobuf/reflect';
import type { MethodDefinition } from '@grpc/grpc-js';
import { ValidationError } from '../../core/errors.js';
import { methodOf } from './descriptors.js';

export type Definition = MethodDefinition<unknown, unknown>;

/** Messages of one method as bytes of one format. */
export interface Codec {
  /** @throws ValidationError, or returns `undecodable` (../methods.ts) */
  request(bytes: Buffer): unknown;
  response(message: unknown): Buffer;
}

export type Format = 'json' | 'proto';

export const codecOf = (definition: Definition, format: Format): Codec =>
  format === 'proto' ? protoCodec(definition) : jsonCodec(definition);

const protoCodec = (definition: Definition): Codec => ({
  request: (bytes) => definition.requestDeserialize(bytes),
  response: (message) => definition.responseSerialize(message),
});

/**
 * JSON as protobuf defines it, by the descriptors of the contract: ts-proto's own has numbers
 * of 64 bits as numbers, and takes no text for them. Unknown fields are passed over, as by
 * Connect's own servers, so that a client may be newer than its master.
 */
function jsonCodec(definition: Definition): Codec {
  const { path } = definition;
  return {
    request(bytes) {
      const { method, registry } = methodOf(path);
      const options = { registry, ignoreUnknownFields: true };
      const json = parsed(bytes);
      try {
        const message = fromJson(method.input, json, options);
        return definition.requestDeserialize(Buffer.from(toBinary(method.input, message)));
      } catch (error) {
        throw notAsDescribed(error);
      }
    },
    response(message) {
      const { method, registry } = methodOf(path);
      const answer = fromBinary(method.output, definition.responseSerialize(message));
      return Buffer.from(JSON.stringify(toJson(method.output, answer, { registry })));
    },
  };
}

/** An empty body is an empty message, as `curl -X POST` sends it. */
function parsed(bytes: Buffer): JsonValue {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(utf8.decode(bytes)) as JsonValue;
  } catch (error) {
    const [, position] = /at position (\d+)/.exec(String(error)) ?? [];
    throw invalid('the request', `is no JSON${position ? `, from character ${position} on` : ''}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** By the name of the field, and what it should be: never by what its caller wrote. */
function notAsDescribed(error: unknown): ValidationError {
  const cause = error instanceof Error ? error.cause : undefined;
  const found = [error, cause].find((one) => one instanceof FieldError);
  if (!found) return invalid('the request', 'is no JSON of this message');
  const [, expected = 'another value'] = /^expected (.+?), got/s.exec(found.message) ?? [];
  return invalid(found.field().name, `must be ${expected}`);
}

const invalid = (path: string, problem: string) =>
  new ValidationError({ violations: [{ path, problem }] });
