import { join } from 'node:path';
import type { Connection } from '../../../client/connect.js';
import { failureOf } from '../../../client/failure.js';
import { downloadCrashInput } from '../../../client/transfer.js';
import { DataLossError, StalledError } from '../../../core/errors.js';
import { executeWithRetry, type RetryPolicy } from '../../../core/retry.js';
import type { CrashWorkInput } from '../../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../gen/pandafuzz/v1/lease.js';
import type { Spool } from '../../findings/spool.js';
import type { RunFolder } from '../../folders/run-folder.js';
import { readPlainFile } from '../../sandbox/plain-file.js';
import type { ReplayParts } from '../replay.js';

/** What work on crashes needs, besides what a replay does. */
export interface CrashWorkParts extends ReplayParts {
  readonly lease: Lease;
  readonly engineVersion: string;
  readonly folder: RunFolder;
  readonly connection: Connection;
  readonly spool: Spool;
}

/** A master that is away for longer has given the lease to another bot. */
const policy: RetryPolicy = {
  maxRetries: 20,
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  multiplier: 2,
};
/** gRPC codes of a passing trouble: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const passing = new Set([2, 4, 8, 10, 13, 14]);

/** Makes a call to the master, again while its trouble passes. */
export function withRetries<T>(
  signal: AbortSignal,
  operation: string,
  call: () => Promise<T>,
): Promise<T> {
  return executeWithRetry({ signal, deadline: Number.POSITIVE_INFINITY }, policy, call, {
    operation,
    isRetryable: (error) => {
      const failure = failureOf(error);
      if (failure) return passing.has(failure.code);
      return error instanceof DataLossError || error instanceof StalledError;
    },
  });
}

/** Brings the input of a crash from the master. */
export async function bringInput(
  { connection, folder, signal }: CrashWorkParts,
  { crashId, sha256 }: CrashWorkInput,
): Promise<Buffer> {
  const path = join(folder.path, 'crash-input');
  const whole = await withRetries(signal, 'download of a crash input', () =>
    downloadCrashInput(connection, crashId, path, { signal }),
  );
  const input = await readPlainFile(path);
  if (!input || whole.sha256 !== sha256) {
    throw new DataLossError({ why: 'the master sent another input than its job names' });
  }
  return input;
}
