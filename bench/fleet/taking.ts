import type { ServerProcess } from '../processes.js';
import type { Fleet } from './beating.js';
import { Lines } from './lines.js';
import { createJob } from './stock.js';
import { VirtualBot } from './virtual-bot.js';

/** Jobs until code is warm. */
const warmUp = 50;

/**
 * Times from the call of CreateJob until a waiting bot has the job, milliseconds,
 * with nothing else to do for the master.
 */
export async function timesToAssign(
  { connection, spec, botIds }: Fleet,
  master: ServerProcess,
  count: number,
): Promise<readonly number[]> {
  const lines = new Lines(master.address, 1);
  let happened = Promise.withResolvers<void>();
  const happens = () => happened.resolve();
  const after = async (cause: () => unknown) => {
    happened = Promise.withResolvers();
    await Promise.all([cause(), happened.promise]);
  };
  const events = { welcomed: happens, answered: happens, assigned: happens, done: happens };
  const bot = new VirtualBot(botIds[0] ?? '', 1, events);
  await after(() => bot.connect(lines.of(0)));
  const times: number[] = [];
  for (let i = 0; i < warmUp + count; i++) {
    const startedAt = performance.now();
    let tookMs = Number.NaN;
    await after(() => {
      void happened.promise.then(() => {
        tookMs = performance.now() - startedAt;
      });
      return createJob(connection, spec);
    });
    if (i >= warmUp) times.push(tookMs);
    const [lease] = bot.leases.values();
    await after(() => lease && bot.finish(lease));
    await after(() => bot.beat());
  }
  lines.close();
  return times;
}
