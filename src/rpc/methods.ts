import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** What has passed through one method. Counted here, read when Prometheus asks. */
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
 * Stands in for a request that could not be decoded. Left to grpc-js it would
 * end in INTERNAL with the decoder's words; here it is the caller's mistake. A
 * stream's handler finds no message in it, and refuses it for that.
 */
export const undecodable: object = Object.freeze({});

/** What turns a message into bytes, as generated. */
interface Codec {
  encode(message: never, writer: BinaryWriter): BinaryWriter;
}

/** The service as generated, with its messages counted and broken ones marked. */
export function watched(
  service: ServiceDefinition,
  codecs: Readonly<Record<string, { readonly responseType: Codec }>>,
  counters: MethodCounters,
): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const { responseType } = codecs[name] as { responseType: Codec };
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

/** Of a writer that has grown beyond this, the memory is not kept. */
const largestKeptBytes = 64 * 1024;

/** One for all messages: a new one grows its buffer step by step for each. */
let writer = new BinaryWriter();

function serialized(codec: Codec, message: never): Buffer {
  try {
    const { buffer, byteOffset, length } = codec.encode(message, writer).finish();
    if (length > largestKeptBytes) writer = new BinaryWriter();
    return Buffer.from(buffer, byteOffset, length);
  } catch (error) {
    writer = new BinaryWriter(); // what is half written must not begin the next one
    throw error;
  }
}
