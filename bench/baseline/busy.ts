import type { ServerProcess } from '../processes.js';

/** What a server did with its core while `work` went on: 1 is all of it. */
export async function whileBusy<T>(
  server: ServerProcess,
  work: () => Promise<T>,
): Promise<{ result: T; busy: number }> {
  const [cpuSeconds, startedAt] = [server.cpuSeconds(), performance.now()];
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  return { result, busy: (server.cpuSeconds() - cpuSeconds) / seconds };
}
