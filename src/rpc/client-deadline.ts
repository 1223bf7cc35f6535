import type { ServerUnaryCall } from '@grpc/grpc-js';

type TimedCall = Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline'>;

/** A call that is cancelled this close to its deadline has met it, milliseconds. */
const clocksApartMs = 50;

/** Time until the client's deadline, milliseconds; Infinity if it gave none. */
export function clientTimeoutMs(call: TimedCall): number {
  const deadline = call.getDeadline();
  return Number(deadline) - Date.now();
}

/**
 * A client that reaches its deadline cancels the call itself, by its own clock:
 * a little before ours says so, as the deadline came here as time left.
 */
export const isOverdue = (call: TimedCall): boolean => clientTimeoutMs(call) <= clocksApartMs;
