import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Bounds } from '../sandbox/bounds.js';

/** Longest file a target may write, bytes. */
export const maxFileBytes = 256 * 2 ** 20;

const mib = 2 ** 20;
/** Of jobs of a master that knows no such limits. */
const defaults = { memoryMib: 2048, diskMib: 4096, processes: 512 } as const;
/** Of memory, over what the job allows one process: for the engine, for a replay, and for reports. */
const leastExtraBytes = 512 * mib;

/**
 * What a run may use of its bot's machine. The engine sees to the memory of one process itself,
 * and keeps the input that took too much; the bound of all processes lies above that.
 */
export function boundsOf({ limits }: Pick<JobSpec, 'limits'>): Bounds {
  const memoryBytes = (limits?.maxMemoryMib || defaults.memoryMib) * mib;
  return {
    fileBytes: maxFileBytes,
    memoryBytes: memoryBytes + Math.max(memoryBytes / 2, leastExtraBytes),
    processes: limits?.maxProcesses || defaults.processes,
    diskBytes: (limits?.maxDiskMib || defaults.diskMib) * mib,
    network: limits?.network ?? false,
  };
}

/** The run has used more of its machine than its job allows, which its author has to know. */
export class BrokenBoundError extends Error {
  override readonly name = 'BrokenBoundError';

  constructor(words: string) {
    super(`the run was stopped: ${words}`);
  }
}
