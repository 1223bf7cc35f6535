import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 5;

/**
 * How long this process did not get to run while `work` went on, milliseconds:
 * what the machine does to everybody, to be taken off before somebody is blamed
 * for being late. An answer passes this process twice, as server and as client.
 */
export async function withLateness<T>(work: Promise<T>): Promise<[T, machinesMs: number]> {
  const loop = monitorEventLoopDelay({ resolution: resolutionMs });
  loop.enable();
  try {
    const result = await work;
    return [result, 2 * Math.max(loop.max / 1e6 - resolutionMs, 0)];
  } finally {
    loop.disable();
  }
}
