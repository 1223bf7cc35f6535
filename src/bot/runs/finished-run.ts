import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/log.js';
import { JobDone, LeasePhase } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { JobResult, JobStatistics } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Spool } from '../findings/spool.js';
import type { SlotRun, StopReason } from './slots.js';

const resultFile = 'result.bin';

/** Writes the result of a run to its folder, where the bot's next process finds it. */
export async function writeResult(path: string, lease: Lease, result: JobResult): Promise<void> {
  const partial = join(path, `${resultFile}.part`);
  await writeFile(partial, JobDone.encode({ lease, result }).finish());
  await rename(partial, join(path, resultFile));
}

/** The result that a run had before its bot ended; undefined for one that had none. */
export const readResult = (path: string): Promise<JobResult | undefined> =>
  readFile(join(path, resultFile)).then(
    (bytes) => JobDone.decode(bytes).result,
    () => undefined,
  );

/**
 * A run that an earlier process of the bot has finished, and whose result the master does not
 * have: it ends once the master has its crashes.
 */
export class FinishedRun implements SlotRun {
  readonly phase = LeasePhase.FINISHING;
  readonly quiet = Promise.resolve();
  readonly ended: Promise<JobResult | undefined>;
  readonly #forget = new AbortController();

  constructor(
    readonly lease: Lease,
    private readonly result: JobResult,
    private readonly parts: {
      readonly spool: Spool;
      readonly log: Logger;
      readonly removeFolder: () => Promise<void>;
    },
  ) {
    parts.log.info({ ...lease }, 'result of an earlier process found');
    this.ended = this.#end();
  }

  get statistics(): JobStatistics | undefined {
    return this.result.statistics;
  }

  /** Only "abandoned" ends it: there is nothing else to be stopped. */
  stop(reason: StopReason): void {
    if (reason === 'abandoned') this.#forget.abort();
  }

  remove(): Promise<void> {
    return this.parts.removeFolder();
  }

  async #end(): Promise<JobResult | undefined> {
    const { signal } = this.#forget;
    const { spool } = this.parts;
    while (spool.countOf(this.lease) > 0 && !signal.aborted) await spool.changed(signal);
    return signal.aborted ? undefined : this.result;
  }
}
