import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { ValidationError } from '../core/errors.js';

/** Counts of one method, read when Prometheus collects. */
export interface MethodCounts {
  received: number;
  sent: number;
  deadlinesMissed: number;
}

export class MethodCounters {
  readonly #byPath = new Map<string, MethodCounts>();

  of(path: string): MethodCounts {
    const known = this.#byPath.get(path);
    if (known) return known;
    const counts = { received: 0, sent: 0, deadlinesMissed: 0 };
    this.#byPath.set(path, counts);
    return counts;
  }

  all(): Iterable<[path: string, counts: Readonly<MethodCounts>]> {
    return this.#byPath;
  }
}

/**
 * Stands in for a request that could not be decoded. grpc-js would answer INTERNAL with
 * the decoder's words; here it is the caller's mistake. A stream's handler finds no message
 * in it, and refuses it for that.
 */
export const undecodable: object = Object.freeze({});

/** @throws ValidationError for a request that is no message of its kind */
export function decoded<Request>(request: Request): Request {
  if (request !== undecodable) return request;
  const problem = 'cannot be decoded: it is not a message of this method';
  throw new ValidationError({ violations: [{ path: 'the request', problem }] });
}

/** The generated code that turns a message into bytes. */
interface Codec {
  encode(message: never, writer: BinaryWriter): BinaryWriter;
}

/** The codec of a method's answers. */
interface Answers {
  readonly responseType: Codec;
}

/** The service as generated, with its messages counted and broken ones marked. */
export function watched(
  service: ServiceDefinition,
  codecs: Readonly<Record<string, Answers>>,
  counters: MethodCounters,
): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const { responseType } = codecs[name] as Answers;
    return [name, watchedMethod(method, responseType, counters.of(method.path))];
  });
  return Object.fromEntries(methods);
}

function watchedMethod(
  method: MethodDefinition<unknown, unknown>,
  responseType: Codec,
  counts: MethodCounts,
): MethodDefinition<unknown, unknown> {
  return {
    ...method,
    requestDeserialize: (bytes) => {
      counts.received++;
      try {
        return method.requestDeserialize(bytes);
      } catch {
        return undecodable;
      }
    },
    responseSerialize: (message) => {
      counts.sent++;
      return serialized(responseType, message as never);
    },
  };
}

/** A writer that has grown beyond this is replaced, and its memory freed. */
const largestKeptBytes = 64 * 1024;

/** One for all messages: a new one grows its buffer step by step for each. */
let writer = new BinaryWriter();

function serialized(codec: Codec, message: never): Buffer {
  try {
    const { buffer, byteOffset, length } = codec.encode(message, writer).finish();
    if (length > largestKeptBytes) writer = new BinaryWriter();
    return Buffer.from(buffer, byteOffset, length);
  } catch (error) {
    writer = new BinaryWriter(); // half a message must not begin the next one
    throw error;
  }
}
