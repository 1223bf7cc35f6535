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

/** The service as generated, with its messages counted and broken ones marked. */
export function watched(service: ServiceDefinition, counters: MethodCounters): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => [
    name,
    watchedMethod(method, counters.of(method.path)),
  ]);
  return Object.fromEntries(methods);
}

function watchedMethod(
  method: MethodDefinition<unknown, unknown>,
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
      return method.responseSerialize(message);
    },
  };
}
