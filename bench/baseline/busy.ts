import type { ServerProcess } from '../processes.js';

/** What a server took of its core while `work` went on; `busy`: 1 is all of it. */
export async function whileBusy<T>(
  server: ServerProcess,
  work: () => Promise<T>,
): Promise<{ result: T; cpuSeconds: number; busy: number }> {
  const [usedBefore, startedAt] = [server.cpuSeconds(), performance.now()];
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = server.cpuSeconds() - usedBefore;
  return { result, cpuSeconds, busy: cpuSeconds / seconds };
}
