import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './shapes.js';

/** Longest time a client may ask for: a day. */
const longestSeconds = 86_400;
const header = 'grpc-timeout';
const secondsPer: Record<string, number> = { H: 3600, M: 60, S: 1, m: 1e-3, u: 1e-6, n: 1e-9 };

/**
 * Corrects the deadlines of clients before grpc-js reads them. It counts in 32-bit
 * milliseconds, so that 700 hours are over before they begin, and it finds a number
 * anywhere in the text, so that "-5S" would be five seconds. Here a time longer than a
 * day becomes a day, and a header that is no timeout is removed.
 */
export function capDeadlines(server: Server): void {
  for (const http2 of http2ServersOf(server)) {
    http2.prependListener('stream', (_stream, headers) => {
      const given = headers[header];
      if (given === undefined) return;
      const [, count = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(given)) ?? [];
      if (count === '') delete headers[header];
      else if (Number(count) * (secondsPer[unit] as number) > longestSeconds) {
        headers[header] = `${longestSeconds}S`;
      }
    });
  }
}
