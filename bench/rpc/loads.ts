import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/connect.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { type Pace, paceOf } from '../baseline/beside.js';
import { Squad } from '../fleet/squad.js';
import { until } from '../measure.js';
import type { ServerProcess } from '../processes.js';
import { type Stage, sendCrash } from '../stage.js';

/** Loads on the streams of one server, the stage's master or the bare one. */

/** Until the load is even. */
const settleMs = 200;
/** Slots of each bot in `cycles`; with fewer, it measures the waits for commits and not the work. */
export const slots = 8;
/** The bare server makes jobs up, and works off more of them in the same time. */
const echoJobs = 5;
const inputBytes = 10 * 2 ** 20;

export interface Beating extends Pace {
  /** Beats that one acknowledgement answered. */
  readonly perAnswer: number;
}

/** Every bot holds one job and beats as fast as it is answered, with `inFlight` beats under way. */
export async function beats(
  stage: Stage,
  server: ServerProcess,
  botIds: readonly string[],
  inFlight: number,
): Promise<Beating> {
  if (server === stage.master) await stage.createJobs(botIds.length);
  let [holding, beaten, answers, isOver] = [0, 0, 0, false];
  const squad = new Squad(server.address, botIds, 1, {
    assigned: () => holding++,
    answered(bot, { length }) {
      beaten += length;
      answers++;
      for (let i = 0; i < length && !isOver; i++) bot.beat();
    },
    done: () => holding--,
  });
  await until('every bot has a job', () => holding === botIds.length);
  for (const bot of squad.bots) for (let i = 0; i < inFlight; i++) bot.beat();
  await sleep(settleMs);
  [beaten, answers] = [0, 0];
  const pace = await paceOf(server, async () => {
    await sleep(Math.max(3000 * stage.bench.scale, 400));
    return { done: beaten };
  });
  const perAnswer = beaten / answers;
  isOver = true;
  for (const bot of squad.bots) bot.finishAll();
  await until('all jobs are done', () => holding === 0);
  squad.close();
  return { ...pace, perAnswer };
}

/**
 * Jobs that wait already, worked off: assigned, acknowledged, completed on disk. The
 * pace of a master is in jobs, the pace of the bare server in messages of its bots:
 * two for each job, LeaseAck and JobDone.
 */
export async function cycles(
  stage: Stage,
  server: ServerProcess,
  botIds: readonly string[],
  jobs: number,
): Promise<Pace> {
  const isMaster = server === stage.master;
  if (isMaster) await stage.createJobs(jobs);
  const total = isMaster ? jobs : echoJobs * jobs;
  let finished = 0;
  const toBeat = new Set<string>();
  return paceOf(server, async () => {
    const squad = new Squad(server.address, botIds, slots, {
      assigned: (bot, lease) => bot.finish(lease),
      done(bot) {
        finished++;
        if (!isMaster || toBeat.has(bot.id)) return;
        toBeat.add(bot.id);
        // One beat announces all slots that became free together; the bare server needs none.
        queueMicrotask(() => {
          toBeat.delete(bot.id);
          bot.beat();
        });
      },
    });
    await until('all jobs are done', () => finished >= total);
    squad.close();
    return { done: isMaster ? total : 2 * total };
  });
}

/** Crashes with large inputs, one after the other. */
export async function uploads(
  { bench }: Stage,
  { address }: ServerProcess,
  lease: Lease | undefined,
): Promise<{ mibPerSecond: number }> {
  const connection = connect(address);
  const path = join(bench.folder(), 'input');
  const inputs = Math.max(Math.round(5 * bench.scale), 1);
  let tookMs = 0;
  for (let i = 0; i < inputs; i++) tookMs += await sendCrash(connection, lease, path, inputBytes);
  connection.close();
  return { mibPerSecond: ((inputs * inputBytes) / 2 ** 20 / tookMs) * 1000 };
}
