import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import { withFolders } from './bench.js';
import { benchFleet } from './fleet/fleet.js';
import { plot } from './plot.js';
import { pinLoad } from './processes.js';
import { type Run, report, type Section } from './report.js';
import { benchCalls } from './rpc/calls.js';
import { benchOverload } from './rpc/overload.js';
import { benchScenarios } from './rpc/scenarios.js';
import { benchStreams } from './rpc/streams.js';
import { benchSoak } from './soak/soak.js';
import { benchStore } from './store/store.js';
import { worstLoopDelay } from './vitals.js';

/**
 * `make bench`: every figure beside its limit, taken in the same run. Prints the
 * table; a whole run also brings docs/benchmarks.md and its plot up to date.
 */
const benches = {
  store: { about: 'The store, without gRPC', run: benchStore },
  calls: { about: 'Calls, beside a bare gRPC server', run: benchCalls },
  streams: { about: 'Streams, beside a bare gRPC server', run: benchStreams },
  overload: { about: 'More than it can do', run: benchOverload },
  scenarios: { about: 'A million jobs: every call, mixed, disturbed', run: benchScenarios },
  fleet: { about: 'Ten thousand bots', run: benchFleet },
  soak: { about: 'Hundreds of thousands of calls', run: benchSoak },
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, bots: { type: 'string' } },
  allowPositionals: true,
});
const say = (line: string) => process.stderr.write(`bench: ${line}\n`);
const names = Object.keys(benches) as (keyof typeof benches)[];
const unknown = positionals.find((name) => !names.includes(name as (typeof names)[number]));
if (unknown !== undefined) {
  say(`there is no benchmark "${unknown}": ${names.join(', ')}`);
  process.exit(64);
}
/** Says little unless it is long; to be had by name. */
const notInQuick = 'soak';
const all = names.filter((name) => !(values.quick && name === notInQuick));
const chosen = positionals.length === 0 ? all : names.filter((name) => positionals.includes(name));
const bots = values.bots === undefined ? undefined : Number(values.bots);
if (bots !== undefined && !(Number.isInteger(bots) && bots >= 40)) {
  say(`--bots ${values.bots}: give the size of the fleet, a whole number from 40 on`);
  process.exit(64);
}
const size = values.quick ? { rounds: 1, scale: 0.02 } : { rounds: 3, scale: 1 };
const settings = { ...size, ...(bots !== undefined && { bots }) };
const isWhole = !values.quick && bots === undefined && chosen.length === names.length;

// Server and load share nothing but the disk: without a core each, the figures mean little.
if (spawnSync('taskset', ['--version']).error) {
  say('taskset is missing, which gives server and load a core each: install util-linux');
  process.exit(69);
}
if (cpus().length < 2) {
  say('this machine has one core: server and load need one each');
  process.exit(69);
}

mkdirSync('data', { recursive: true });
const date = new Date().toISOString();
const sections: Section[] = [];
for (const name of chosen) sections.push(await take(name));
const loopDelay = worstLoopDelay();
if (loopDelay) {
  const all = { name: 'all', about: 'In all of it', command: 'make bench', seconds: 0 };
  sections.push({ ...all, figures: [loopDelay] });
}
write({ date, machine: machine(), settings, sections });

async function take(name: (typeof names)[number]): Promise<Section> {
  const { about, run } = benches[name];
  // The store brings its threads to this process; what comes after it is a load on a server.
  if (name !== 'store') await pinLoad();
  const startedAt = performance.now();
  const figures = await withFolders('data', (folder) => run({ ...settings, folder, say }));
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${name} took ${seconds.toFixed(0)} s`);
  return { name, about, command: `make bench ONLY=${name}`, seconds, figures };
}

function write(run: Run): void {
  const results = `bench/results/${date.replace(/\.\d+Z$/, 'Z').replaceAll(':', '-')}`;
  const [text, picture] = [report(run), plot(run.sections)];
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(`${results}.json`, `${JSON.stringify(run, null, 2)}\n`);
  writeFileSync(`${results}.svg`, picture);
  process.stdout.write(text);
  if (isWhole) {
    // What people wrote about it stays.
    const before = readFileSync('docs/benchmarks.md', 'utf8');
    const [, remarks = ''] = before.split(/(?=\n## Where a target is missed)/);
    writeFileSync('docs/benchmarks.md', `${text}${remarks}`);
    writeFileSync('docs/benchmarks.svg', picture);
  }
  const total = run.sections.reduce((sum, { seconds }) => sum + seconds, 0);
  say(`${total.toFixed(0)} s in all; written to ${results}.json and .svg`);
}

function machine(): Run['machine'] {
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  const [cpu, cores] = [cpus()[0]?.model.trim() ?? '', cpus().length];
  return { cpu, cores, memoryGib, system: `${type()} ${release()}`, node: process.version };
}
