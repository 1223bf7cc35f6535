import type { ServerProcess } from '../processes.js';
import { noteLoopDelay } from '../vitals.js';

/**
 * What a server took of its core while `work` went on; `busy`: 1 is all of it. Its
 * event loop's delay is noted too, but its sizes are not asked for: telling them
 * costs a master what a baseline has not to pay.
 */
export async function whileBusy<T>(
  server: ServerProcess,
  work: () => Promise<T>,
): Promise<{ result: T; cpuSeconds: number; busy: number }> {
  server.watchLoop();
  const [usedBefore, startedAt] = [server.cpuSeconds(), performance.now()];
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = server.cpuSeconds() - usedBefore;
  noteLoopDelay('calls and streams at their most', await server.loopDelay());
  return { result, cpuSeconds, busy: cpuSeconds / seconds };
}
