import { Worker } from 'node:worker_threads';
import { systemClock } from '../../core/clock.js';
import { TargetFault } from '../fault.js';
import type { ArchiveBounds } from './bounds.js';
import type { Unpacked } from './thread.js';

/** What to unpack, and where. */
export interface UnpackOrder {
  /** A bundle keeps its paths; seeds become files of one folder. */
  readonly as: 'bundle' | 'seeds';
  readonly archive: string;
  readonly folder: string;
  readonly bounds?: ArchiveBounds;
}

/**
 * For the largest archive on a slow disk, milliseconds: 200,000 small files take 20 s on a
 * quiet one.
 */
const defaultTimeoutMs = 10 * 60_000;

/**
 * Unpacks an archive in a thread of its own, which ends at a deadline and with the signal: an
 * archive made to keep a program busy keeps that thread busy, and no heartbeat waits.
 *
 * @throws TargetFault for an archive that is of no use anywhere; the system's errors (ENOSPC,
 *   EIO …); the signal's reason
 */
export async function unpack(
  order: UnpackOrder,
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<void> {
  const { signal, timeoutMs = defaultTimeoutMs } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const thread = new Worker(new URL('./thread.js', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  const timer = systemClock.schedule(timeoutMs, () => {
    reject(new TargetFault(`the archive was not unpacked within ${timeoutMs / 1000} s`));
  });
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  let outcome: Unpacked | undefined;
  thread.on('message', (message: Unpacked) => {
    outcome = message;
  });
  thread.on('error', reject);
  // Not before: a thread that is ended while it closes its files leaves them open.
  thread.on('exit', () => {
    if (outcome?.ok) resolve();
    else reject(outcome ? errorOf(outcome) : new Error('the thread that unpacks has ended'));
  });
  try {
    await promise;
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
    await thread.terminate();
  }
}

const errorOf = ({ fault, message, code }: Unpacked & { ok: false }): Error =>
  fault ? new TargetFault(message) : Object.assign(new Error(message), { code });
