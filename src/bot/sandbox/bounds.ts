/** What one run may use of its machine. */
export interface Bounds {
  /** Longest file that it may write, bytes. */
  readonly fileBytes: number;
  /** Memory of all its processes, bytes; kept where there are cgroups. */
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Its folder, bytes. */
  readonly diskBytes: number;
  /** Whether it may use the machine's network. */
  readonly network: boolean;
}

/** What a limit that was passed is called in a result. */
export type BrokenBound = 'memory' | 'disk';

const mib = 2 ** 20;

/** In the words of a result. */
export const brokenBound = (which: BrokenBound, { memoryBytes, diskBytes }: Bounds): string =>
  which === 'disk'
    ? `it filled its folder: more than ${Math.round(diskBytes / mib)} MiB (limits.max_disk_mib)`
    : `out of memory: its processes used more than ${Math.round(memoryBytes / mib)} MiB together`;
