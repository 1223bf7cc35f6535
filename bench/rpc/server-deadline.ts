import { type ClientHttp2Session, connect } from 'node:http2';
import { CreateJobRequest, JobServiceService } from '../../src/gen/pandafuzz/v1/job_service.js';
import { Latencies } from '../latencies.js';
import { eachInFlight, type Figure } from '../measure.js';
import { heldLock } from './disturbances.js';
import type { Stocked } from './stocked.js';

const timeoutMs = 50;
/** What the master may take longer than that. */
const graceMs = 50;
/** grpc-status of DEADLINE_EXCEEDED. */
const deadlineExceeded = 4;
const atOnce = 20;

/**
 * Writes that cannot be done: how long until the master itself says so. Clients of
 * gRPC give up by their own clocks, and would hide a master that never answers.
 */
export async function answersUnderTheLock(stocked: Stocked, calls: number): Promise<Figure> {
  const session = connect(`http://${stocked.master.address}`);
  const times = new Latencies();
  let others = 0;
  const body = framed(CreateJobRequest.encode({ spec: stocked.spec, requestId: '' }).finish());
  const { about } = await heldLock(stocked, () =>
    eachInFlight(Array.from({ length: calls }), atOnce, async () => {
      const startedAt = performance.now();
      const status = await call(session, body);
      times.record(performance.now() - startedAt);
      if (status !== deadlineExceeded) others++;
    }),
  );
  session.destroy();
  return {
    name: `answer of the master itself to writes of ${timeoutMs} ms under a held lock, p99`,
    ...{ value: times.quantile(0.99), unit: 'ms' },
    spread: [times.quantile(0.5), times.longest],
    target: { is: '<=', bound: timeoutMs + graceMs },
    detail: `${calls - others} DEADLINE_EXCEEDED, ${others} others; ${about}; spread: median to longest`,
    percentiles: times.percentiles,
    absolute: { calls, others },
  };
}

/** With a deadline for the server only. @returns its grpc-status */
function call(session: ClientHttp2Session, body: Buffer): Promise<number> {
  const stream = session.request({
    ':method': 'POST',
    ':path': JobServiceService.createJob.path,
    'content-type': 'application/grpc',
    'grpc-timeout': `${timeoutMs}m`,
    te: 'trailers',
  });
  return new Promise((resolve, reject) => {
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
    };
    stream.on('response', take); // an error without a message comes as this already
    stream.on('trailers', take);
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('the stream ended without a status')));
    stream.resume();
    stream.end(body);
  });
}

/** One byte "not compressed", four bytes of length, the message. */
function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
