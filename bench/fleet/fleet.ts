import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/connect.js';
import type { Bench } from '../bench.js';
import type { Figure } from '../measure.js';
import { startMaster } from '../processes.js';
import { Crew } from './crew.js';
import { losses } from './losses.js';
import { reconnects } from './reconnects.js';
import { restart } from './restart.js';
import { below, type Scene } from './scene.js';
import { inTime, onTheirOwn } from './steady.js';
import { createJobs, registerBots, uploadTarget } from './stock.js';
import { storm } from './storm.js';
import { type Load, turnover } from './turnover.js';

interface Leases {
  readonly intervalMs: number;
  readonly ttlMs: number;
}

const calm: Leases = { intervalMs: 30_000, ttlMs: 90_000 };
/** So that losing them does not take long. */
const brisk: Leases = { intervalMs: 3000, ttlMs: 9000 };
const briskInQuick: Leases = { intervalMs: 300, ttlMs: 1000 };
/** Bots beside which the whole fleet is held. */
const few = 100;
/** Of the bots, those that are there for it: their arrival takes most of its time. */
const briskShare = 0.25;

/**
 * A large fleet of whole bots, each on a connection of its own, whose every bot
 * runs a job: what it costs, and what becomes of it when all does not go well.
 */
export async function benchFleet(bench: Bench): Promise<Figure[]> {
  const { scale, say } = bench;
  const count = bench.bots ?? Math.round(10_000 * scale);
  expectOpenFiles(count);
  const bots = `${count.toLocaleString('en')} bots`;
  const directory = bench.folder();
  let master = await startMaster(directory, settingsOf(calm));
  const { address } = master;
  const startAgain = (leases: Leases, more: Record<string, string> = {}) =>
    startMaster(directory, { ...settingsOf(leases), PANDAFUZZ_GRPC_ADDRESS: address, ...more });
  const connection = connect(address);
  try {
    const spec = await uploadTarget(connection);
    const botIds = await registerBots(connection, count, 1);
    const sceneOf = (crew: Crew): Scene => ({ master, directory, connection, spec, crew, bots });
    const figures: Figure[] = [];

    say(`jobs of ${few} of them end and others come`);
    await createJobs(connection, spec, few);
    const alone = new Crew(address, botIds.slice(0, few));
    const cpuMsAlone = await turnoverOf(sceneOf(alone), turning(bench)).finally(() =>
      alone.leave(),
    );

    say(`${bots} take a job each`);
    await createJobs(connection, spec, count);
    const crew = new Crew(address, botIds);
    try {
      figures.push(...(await calmScripts(sceneOf(crew), cpuMsAlone, bench)));
      if (scale === 1) {
        say('the master is restarted');
        const restarted = await restart(sceneOf(crew), () => startAgain(calm));
        master = restarted.master;
        figures.push(...restarted.figures);
        say('the master is restarted again, with grpc.fast_path off');
        const off = { PANDAFUZZ_GRPC_FAST_PATH: 'off' };
        ({ master } = await restart(sceneOf(crew), () => startAgain(calm, off)));
        await sleep(calm.intervalMs);
        const plain = { ...sceneOf(crew), bots: `${bots} on the plain way (grpc.fast_path off)` };
        figures.push(...(await inTime(plain, { ...calm, forMs: 2 * calm.intervalMs })));
      }
      await crew.finish();
    } finally {
      crew.leave();
    }

    const leases = scale < 1 ? briskInQuick : brisk;
    const brave = botIds.slice(0, Math.ceil(count * briskShare));
    say(`of ${brave.length} bots two fifths vanish, with leases of ${leases.ttlMs / 1000} s`);
    await master.stop();
    master = await startAgain(leases);
    await createJobs(connection, spec, brave.length);
    const second = new Crew(address, brave);
    try {
      await second.takeJobs();
      figures.push(...(await losses(sceneOf(second), leases.ttlMs)));
    } finally {
      second.leave();
    }
    return figures;
  } finally {
    connection.close();
    await master.stop();
  }
}

/** Of a crew that is there for that alone. @returns CPU of the master for each job, milliseconds */
async function turnoverOf(scene: Scene, load: Load): Promise<number> {
  await scene.crew.takeJobs();
  await turnover(scene, load); // until code is warm
  const { cpuMs } = await turnover(scene, load);
  await scene.crew.finish();
  return cpuMs;
}

async function calmScripts(scene: Scene, cpuMsAlone: number, bench: Bench): Promise<Figure[]> {
  const { scale, say } = bench;
  const { master, crew, bots } = scene;
  const { intervalMs } = calm;
  const before = await master.memory();
  await crew.takeJobs();
  say(`they beat every ${intervalMs / 1000} s`);
  await sleep(intervalMs * scale); // until each has beaten once: what its arrival left is over
  // Twice: what is written once a minute is in it, and its share of what is collected.
  const steady = { intervalMs, forMs: 2 * intervalMs * scale };
  const figures = await inTime(scene, steady);
  const after = await master.memory();
  const growth = (what: 'rssBytes' | 'heapBytes') =>
    (after[what] - before[what]) / crew.members.length / 1024;
  figures.push(
    below('memory of the master for each of them, resident', 'KiB', 64, growth('rssBytes'), {
      detail: `with its lease and its connection; ${growth('heapBytes').toFixed(1)} KiB of it on the heap`,
    }),
  );
  say('jobs end and others come');
  const { figure, cpuMs } = await turnover(scene, turning(bench));
  const ratio = cpuMs / cpuMsAlone;
  figures.push(figure, {
    name: `CPU of the master for a job created, assigned and completed, ${bots} / ${few}`,
    ...{ value: ratio, unit: 'ratio', target: { is: '<=', bound: 1.5 } },
    spread: [ratio, ratio],
    detail: `${cpuMs.toFixed(1)} ms, the beats of all meanwhile included; ${cpuMsAlone.toFixed(1)} ms; so few at a time that each is a group of its own`,
  });
  say('they beat when they please');
  figures.push(await onTheirOwn(scene, steady));
  say('connections are lost, 2 % of them a second');
  figures.push(...(await reconnects(scene, { share: 0.02, forMs: 10_000 * scale })));
  say(`all ${bots} are cut off at once`);
  figures.push(...(await storm(scene)));
  return figures;
}

/** Beside a connection for each bot, some for whatever else is open. */
const otherFiles = 500;

/** @throws Error that says what to do where there cannot be so many connections */
function expectOpenFiles(count: number): void {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, soft, hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(limits) ?? [];
  const most = Math.max(Number(soft), Number(hard)); // Node raises the one to the other
  if (count + otherFiles <= most) return;
  throw new Error(`${count} bots are as many connections, of ${most} open files: raise ulimit -n`);
}

const turning = ({ scale }: Bench): Load => ({ perSecond: 50, forMs: 10_000 * scale });

const settingsOf = ({ intervalMs, ttlMs }: Leases) => ({
  PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: `${intervalMs}ms`,
  PANDAFUZZ_LEASES_TTL: `${ttlMs}ms`,
});
