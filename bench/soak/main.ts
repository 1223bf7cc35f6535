import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings, startMaster } from '../processes.js';
import { Stage } from '../stage.js';
import { type Bound, judge, type Verdict } from './flat.js';
import { Member } from './member.js';
import { comeAndGo, operate, read, watch } from './operators.js';
import { realBot } from './real-bot.js';
import { Tally } from './tally.js';

/** `make soak MINUTES=30`: everything at once against a real master, which must stay as it is. */
const minutes = Number(process.env['MINUTES'] ?? 30);
if (!(minutes > 0)) {
  console.error('MINUTES: give how long the soak lasts, a number above 0');
  process.exit(64);
}
const samples = Math.min(Math.max(Math.round(minutes * 4), 12), 120);
const members = 20;
/** Old records go while it runs, so that the tables stay as they are, too. */
const settings: Settings = {
  PANDAFUZZ_LEASES_TTL: '5s',
  PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '1s',
  PANDAFUZZ_LEASES_OFFER_TIMEOUT: '2s',
  PANDAFUZZ_LEASES_FLUSH_INTERVAL: '2s',
  PANDAFUZZ_JOBS_RETRY_DELAY: '500ms',
  PANDAFUZZ_JOBS_MAX_RETRY_DELAY: '2s',
  PANDAFUZZ_RETENTION_JOBS: '1m',
  PANDAFUZZ_RETENTION_EVENTS: '1m',
  PANDAFUZZ_RETENTION_SAMPLES: '1m',
  PANDAFUZZ_RETENTION_SWEEP_INTERVAL: '2s',
  PANDAFUZZ_TIMEOUTS_IDLE_CONNECTION: '5s',
  PANDAFUZZ_LOG_LEVEL: 'warn',
};

const mib = 2 ** 20;
const bounds: readonly Bound[] = [
  { name: 'heap after collection', unit: 'MiB', share: 0.15, least: 8 },
  { name: 'resident memory', unit: 'MiB', share: 0.25, least: 48 },
  { name: 'open files', unit: '', share: 0.25, least: 12 },
  { name: 'threads', unit: '', share: 0, least: 2 },
  { name: 'timers', unit: '', share: 0.25, least: 12 },
  { name: 'other resources', unit: '', share: 0.25, least: 12 },
];
/** So much more of a thing may be left when all have gone than before they came. */
const leftOver = { 'open files': 6, threads: 3, timers: 8, 'other resources': 6 } as const;
const goneWithinMs = 60_000;

type Master = Awaited<ReturnType<typeof startMaster>>;

/** Files and sockets. What a thread has for its event loop comes and goes with it. */
function filesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      const file = readlinkSync(`${folder}/${fd}`);
      return /^(?:anon_inode|pipe):/.test(file) ? [] : [file];
    } catch {
      return []; // closed since it was listed
    }
  });
}

async function look(master: Master): Promise<number[]> {
  const { heapBytes, rssBytes, resources } = await master.look({ collect: true });
  const threads = readdirSync(`/proc/${master.pid}/task`).length;
  const { Timeout: timers = 0, ...others } = resources;
  const other = Object.values(others).reduce((sum, one) => sum + one, 0);
  return [heapBytes / mib, rssBytes / mib, filesOf(master.pid).length, threads, timers, other];
}

/** What is there more than before, once everybody has gone. */
async function leftAfter(master: Master, before: readonly number[]): Promise<string[]> {
  const deadline = Date.now() + goneWithinMs;
  for (;;) {
    const now = await look(master);
    const left = bounds.flatMap(({ name }, at) => {
      const most = leftOver[name as keyof typeof leftOver];
      const more = (now[at] ?? 0) - (before[at] ?? 0);
      return most !== undefined && more > most ? [`${more} more ${name} than before`] : [];
    });
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(500);
  }
}

function line({ bound, first, last, most, growth, allowed, isFlat }: Verdict): string {
  const whole = (value: number) => value.toFixed(1).padStart(8);
  const figures = [first, last, most, growth, allowed].map(whole).join('');
  return `${`${bound.name} ${bound.unit}`.trim().padEnd(28)}${figures}   ${isFlat ? 'flat' : 'GROWS'}`;
}

async function soak(stage: Stage, folder: string): Promise<boolean> {
  const { master } = stage;
  const tally = new Tally();
  const over = new AbortController();
  const { signal } = over;
  const before = await look(master);
  const parts = [
    ...Array.from({ length: members }, (_, at) =>
      new Member(stage, `scripted-${at}`, tally, signal).work(),
    ),
    ...Array.from({ length: 3 }, () => operate(stage, tally, signal)),
    ...Array.from({ length: 2 }, () => read(stage, tally, signal)),
    ...Array.from({ length: 3 }, () => watch(stage, tally, signal)),
    ...Array.from({ length: 3 }, () => comeAndGo(stage, tally, signal)),
    realBot(stage, folder, { tally, signal }),
  ];
  const failing = Promise.all(parts);
  const taken: number[][] = [];
  for (let at = 0; at < samples; at++) {
    await Promise.race([sleep((minutes * 60_000) / samples), failing]);
    taken.push(await look(master));
    process.stderr.write(`soak: ${at + 1} of ${samples}: ${tally.words}\n`);
  }
  over.abort();
  await failing;
  const left = await leftAfter(master, before);
  const verdicts = bounds.map((bound, of) =>
    judge(
      bound,
      taken.map((one) => one[of] ?? 0),
    ),
  );
  console.log(`${minutes} minutes: ${tally.words}`);
  console.log(`${' '.repeat(28)}   first    last    most  growth allowed`);
  for (const verdict of verdicts) console.log(line(verdict));
  for (const what of left) console.log(`LEFT BEHIND: ${what}`);
  if (left.length > 0) console.log(`its files: ${filesOf(master.pid).join(' ')}`);
  const idle = ['streams', 'results', 'crashes', 'jobs', 'reads', 'watches', 'connections'].filter(
    (what) => tally.of(what) === 0,
  );
  for (const what of idle) console.log(`NOTHING HAPPENED: no ${what}`);
  return left.length + idle.length === 0 && verdicts.every(({ isFlat }) => isFlat);
}

mkdirSync('data', { recursive: true });
const root = resolve(mkdtempSync('data/soak-'));
const folder = () => mkdtempSync(`${root}/`);
const bench = { folder } as Parameters<typeof Stage.with>[0];
const isFine = await Stage.with(bench, settings, (stage) => soak(stage, folder()));
if (isFine) rmSync(root, { recursive: true, force: true });
console.log(
  isFine ? 'soak: everything stayed flat' : `soak: failed; the master's log is in ${root}`,
);
process.exitCode = isFine ? 0 : 1;
