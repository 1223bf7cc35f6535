import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { describeFailure, isAway } from '../../src/client/failure.js';
import { sleep, systemClock } from '../../src/core/clock.js';
import { UserError } from '../../src/core/errors.js';
import type { FuzzingCampaign } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import type { CrashGroup } from '../../src/gen/pandafuzz/v1/crash.js';
import type { Job } from '../../src/gen/pandafuzz/v1/job.js';
import { clockTime } from '../../src/operator/format.js';
import { listCrashGroups } from '../../src/operator/lists.js';
import { downloadReproducer } from '../../src/operator/reproducer.js';
import { table } from '../../src/operator/table.js';
import { type PlantedBug, readPlantedBugs } from './bugs.js';
import { createCampaign, endCampaign, runsOf, writeReport } from './campaign.js';
import { Fleet } from './fleet.js';
import { createProgress, type Progress } from './progress.js';
import { replay } from './replay.js';

/**
 * `make demo`: the main job on real input. A master, two bots, a campaign on a target with
 * four planted bugs; ends when all four were found, kept, fetched and replayed, with the report of
 * the campaign. With KEEP=1 master, bots and page stay, with what was found, until it is stopped.
 */
const botCount = 2;
const fuzzingLimitMs = 160_000;
const lookEveryMs = 1000;
const patienceMs = 20_000;
const source = resolve('examples/demo');

interface Proof {
  readonly group: CrashGroup;
  readonly path: string;
  readonly verdict: string;
  readonly proven: boolean;
}

const stopped = new AbortController();
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => stopped.abort(new UserError('stopped', exitCode)));
}

try {
  await demo(stopped.signal);
} catch (error) {
  const cause = stopped.signal.aborted ? stopped.signal.reason : error;
  if (!(cause instanceof UserError)) throw cause;
  console.error(`demo: ${cause.message}`);
  process.exitCode = cause.exitCode;
}

async function demo(signal: AbortSignal): Promise<void> {
  const target = await buildTarget(signal);
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const folder = resolve('data', `demo-${stamp}`);
  const progress = createProgress();
  const fleet = await Fleet.start(folder, botCount, progress.note);
  try {
    signal.throwIfAborted();
    const files = { target, seeds: join(source, 'seeds') };
    const campaign = await patiently(signal, () => createCampaign(fleet.connection, files, signal));
    progress.note(
      `campaign demo; look on with bin/pandafuzz campaign get demo --master ${fleet.grpc}`,
    );
    const bugs = readPlantedBugs(source);
    const groups = await hunt(fleet.connection, campaign, bugs, progress, signal);
    progress.end();
    await patiently(signal, () => endCampaign(fleet.connection, campaign, signal));
    const proofs = await prove(fleet.connection, groups, target, join(folder, 'crashes'), signal);
    console.log(`\n${proofTable(proofs)}\n`);
    if (!proofs.every(({ proven }) => proven)) {
      throw new UserError('not every reproducer failed again in the same way');
    }
    console.log(`all ${bugs.length} planted bugs were found, and every reproducer replays\n`);
    const file = join(folder, 'report.html');
    const summary = await patiently(signal, () =>
      writeReport(fleet.connection, campaign, file, signal),
    );
    console.log(`${summary}\n\nthe whole report: ${relative('.', file)}`);
    if (process.env['KEEP'] !== '1') {
      console.log(`the page was http://${fleet.http}; make demo KEEP=1 keeps it open`);
      return;
    }
    console.log(`the page: http://${fleet.http}, until Ctrl-C`);
    await aborted(signal);
  } finally {
    progress.end();
    await fleet.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** @throws UserError when the compiler is missing or fails; it says why itself */
function buildTarget(signal: AbortSignal): Promise<string> {
  const folder = resolve('dist/demo');
  const target = join(folder, 'demo-target');
  mkdirSync(folder, { recursive: true });
  const build = spawn(join(source, 'build-target.sh'), [target], { stdio: 'inherit' });
  return new Promise((done, fail) => {
    build.once('error', fail);
    build.once('exit', (code) => {
      if (signal.aborted) fail(signal.reason);
      else if (code === 0) done(target);
      else fail(new UserError('the demo target could not be built', code ?? 1));
    });
  });
}

/** Looks on until every planted bug has its group. */
async function hunt(
  connection: Connection,
  campaign: FuzzingCampaign,
  bugs: readonly PlantedBug[],
  progress: Progress,
  signal: AbortSignal,
): Promise<CrashGroup[]> {
  const startedAt = systemClock.monotonic();
  const told = new Set<string>();
  let jobs: readonly Job[] = [];
  let groups: CrashGroup[] = [];
  for (;;) {
    const elapsedMs = systemClock.monotonic() - startedAt;
    try {
      const { stats, ...seen } = await look(connection, campaign);
      ({ jobs, groups } = seen);
      for (const group of groups) {
        if (!told.has(group.id)) progress.note(`found: ${group.kind} in ${group.topFrame}`);
        told.add(group.id);
      }
      progress.show({ elapsedMs, stats, jobs, groups, bugs });
    } catch (error) {
      if (!isAway(error)) throw new UserError(describeFailure(error, connection.address));
      progress.show({ elapsedMs, stats: undefined, jobs, groups, bugs });
    }
    if (bugs.every((bug) => groups.some(bug.isFoundAs))) return groups;
    if (elapsedMs > fuzzingLimitMs) {
      throw new UserError(`found only ${told.size} of ${bugs.length} bugs in time; run it again`);
    }
    await sleep(systemClock, lookEveryMs, signal);
  }
}

async function look(connection: Connection, campaign: FuzzingCampaign) {
  const { system } = connection;
  const [stats, groups, jobs] = await Promise.all([
    unary(system, system.getSystemStats, {}),
    listCrashGroups(connection, { limit: 100 }),
    runsOf(connection, campaign),
  ]);
  return { stats, groups, jobs };
}

/** Again, for a while, when the master is away: it is on its way back. */
async function patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const giveUpAt = systemClock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isAway(error) || systemClock.monotonic() > giveUpAt) throw error;
      await sleep(systemClock, lookEveryMs, signal);
    }
  }
}

/** Brings every group's first crash and runs the target on it again. */
async function prove(
  connection: Connection,
  groups: readonly CrashGroup[],
  target: string,
  folder: string,
  signal: AbortSignal,
): Promise<Proof[]> {
  mkdirSync(folder, { recursive: true });
  const proofs: Proof[] = [];
  for (const group of groups.toReversed()) {
    const path = join(folder, `${group.kind}-in-${group.topFrame.replace(/\W/g, '_')}`);
    const file = { path, replace: true };
    await patiently(signal, () =>
      downloadReproducer(connection, group.firstCrashId, file, { signal }),
    );
    const { same, saw } = await replay(target, path, group);
    proofs.push({ group, path, proven: same, verdict: same ? 'crashes again' : saw });
  }
  return proofs;
}

function proofTable(proofs: readonly Proof[]): string {
  const now = Date.now();
  return table(
    ['kind', 'top frame', { right: 'hits' }, 'first found', 'replayed', 'reproducer'],
    proofs.map(({ group, path, verdict }) => [
      group.kind,
      group.topFrame,
      String(group.crashHits),
      clockTime(group.firstFoundAt, now),
      verdict,
      relative('.', path),
    ]),
  );
}
