import type { ServerProcess } from '../processes.js';
import { whileBusy } from '../vitals.js';
import { botsPerLine, type Fleet } from './beating.js';
import { countdown } from './countdown.js';
import { Lines } from './lines.js';
import { createJobs } from './stock.js';
import { VirtualBot } from './virtual-bot.js';

/** Of each bot; with fewer, the waits for commits are measured and not the work. */
const slots = 8;

export interface Cycling {
  readonly perSecond: number;
  readonly slots: number;
  /** Of the master's core, 1 being all of it. */
  readonly busy: number;
}

/** Messages of a bot in one cycle: LeaseAck and JobDone. Assign and JobDoneAck are what it is told. */
export const messagesPerCycle = 2;

/** Jobs that wait already, worked off: assigned, acknowledged, completed on disk. */
export async function cyclesPerSecond(
  { connection, spec, botIds }: Fleet,
  server: ServerProcess,
  jobs: number,
): Promise<Cycling> {
  const isMaster = server.address === connection.address;
  if (isMaster) await createJobs(connection, spec, jobs);
  const lines = new Lines(server.address, Math.ceil(botIds.length / botsPerLine));
  const done = countdown(jobs);
  const startedAt = performance.now();
  const { busy } = await whileBusy(server, () => {
    for (const [index, id] of botIds.entries()) {
      let isToBeat = false;
      const bot: VirtualBot = new VirtualBot(id, slots, {
        assigned: (lease) => bot.finish(lease),
        done() {
          done.one();
          if (isToBeat || !isMaster) return;
          isToBeat = true;
          // One beat tells of all the slots that became free together; the baseline needs none.
          queueMicrotask(() => {
            isToBeat = false;
            bot.beat();
          });
        },
      });
      bot.connect(lines.of(index));
    }
    return done.over;
  });
  const perSecond = (jobs / (performance.now() - startedAt)) * 1000;
  lines.close();
  return { perSecond, slots, busy };
}
