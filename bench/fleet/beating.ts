import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../src/client/connect.js';
import type { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { ServerProcess } from '../processes.js';
import { whileBusy } from '../vitals.js';
import { countdown } from './countdown.js';
import { Lines } from './lines.js';
import { createJobs } from './stock.js';
import { VirtualBot } from './virtual-bot.js';

/** Bots the master knows, and what to give them to do. */
export interface Fleet {
  /** To the master. */
  readonly connection: Connection;
  readonly spec: JobSpec;
  readonly botIds: readonly string[];
}

export const botsPerLine = 10;

export interface Beating {
  readonly beatsPerSecond: number;
  /** Beats that one acknowledgement answered. */
  readonly beatsPerAnswer: number;
  /** For each second of the server's CPU. */
  readonly beatsPerCpuSecond: number;
  /** Of the server's core, 1 being all of it. */
  readonly busy: number;
}

/**
 * Every bot holds one job and beats as fast as it is answered, with `inFlight`
 * beats under way.
 */
export async function answeredPerSecond(
  { connection, spec, botIds }: Fleet,
  server: ServerProcess,
  { inFlight, seconds }: { inFlight: number; seconds: number },
): Promise<Beating> {
  if (server.address === connection.address) await createJobs(connection, spec, botIds.length);
  const lines = new Lines(server.address, Math.ceil(botIds.length / botsPerLine));
  const [holding, done] = [countdown(botIds.length), countdown(botIds.length)];
  let [beats, answers, isOver] = [0, 0, false];
  const bots = botIds.map((id) => {
    const bot: VirtualBot = new VirtualBot(id, 1, {
      assigned: holding.one,
      answered(count) {
        beats += count;
        answers++;
        for (let i = 0; i < count && !isOver; i++) bot.beat();
      },
      done: done.one,
    });
    return bot;
  });
  for (const [index, bot] of bots.entries()) bot.connect(lines.of(index));
  await holding.over;
  for (const bot of bots) for (let i = 0; i < inFlight; i++) bot.beat();
  await sleep(200); // until the load is even
  [beats, answers] = [0, 0];
  const { result, cpuSeconds, busy } = await whileBusy(server, async () => {
    const startedAt = performance.now();
    await sleep(seconds * 1000);
    return { beats, answers, seconds: (performance.now() - startedAt) / 1000 };
  });
  isOver = true;
  for (const bot of bots) for (const lease of bot.leases.values()) bot.finish(lease);
  await done.over;
  lines.close();
  return {
    beatsPerSecond: result.beats / result.seconds,
    beatsPerAnswer: result.beats / result.answers,
    beatsPerCpuSecond: result.beats / cpuSeconds,
    busy,
  };
}
