import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bench, withFolders } from './bench.js';
import { figuresOf, type MeasuredOf, type SectionName } from './figure.js';
import { benchFleet } from './fleet/fleet.js';
import { plot } from './plot.js';
import { pinLoad } from './processes.js';
import { type Run, report, type Section } from './report.js';
import { benchCalls } from './rpc/calls.js';
import { benchMillion } from './rpc/million.js';
import { benchSoak } from './rpc/soak.js';
import { benchStreams } from './rpc/streams.js';
import { benchStore } from './store/store.js';
import { worstLoopDelay } from './watch.js';

/**
 * `make bench`: every figure beside its limit, taken in the same run. Prints the
 * table; a whole run also brings docs/benchmarks.md and its plot up to date.
 */
const benchmarks: { readonly [S in Name]: (bench: Bench) => Promise<MeasuredOf<S>> } = {
  store: benchStore,
  calls: benchCalls,
  streams: benchStreams,
  scenarios: benchMillion,
  fleet: benchFleet,
  soak: benchSoak,
};
type Name = Exclude<SectionName, 'all'>;
/** Means little unless it is long; can be run by name. */
const notInQuick: Name = 'soak';

const say = (line: string) => process.stderr.write(`bench: ${line}\n`);
const { names, settings, isWhole } = chosen();

// Server and load share nothing but the disk: without a core each, the figures mean little.
if (spawnSync('taskset', ['--version']).error) {
  refuse('taskset is missing, which gives server and load a core each: install util-linux', 69);
}
if (cpus().length < 2) refuse('this machine has one core: server and load need one each', 69);

mkdirSync('data', { recursive: true });
const date = new Date().toISOString();
const sections: Section[] = [];
for (const name of names) sections.push(await take(name));
const loopDelay = worstLoopDelay();
if (loopDelay) {
  const all = figuresOf('all', { loopDelay }, settings.sizes);
  sections.push({ ...all, command: 'make bench', seconds: 0 });
}
write({ date, machine: machine(), settings, sections });

function chosen() {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, bots: { type: 'string' } },
    allowPositionals: true,
  });
  const all = Object.keys(benchmarks) as Name[];
  const unknown = positionals.find((name) => !all.includes(name as Name));
  if (unknown !== undefined) {
    refuse(`there is no benchmark "${unknown}": ${all.join(', ')}`, 64);
  }
  const isQuick = values.quick;
  const named = all.filter((name) => positionals.includes(name));
  const names = named.length > 0 ? named : all.filter((name) => !(isQuick && name === notInQuick));
  const bots = values.bots === undefined ? undefined : Number(values.bots);
  if (bots !== undefined && !(Number.isInteger(bots) && bots >= 40)) {
    refuse(`--bots ${values.bots}: give the size of the fleet, a whole number from 40 on`, 64);
  }
  const [rounds, scale] = isQuick ? [1, 0.02] : [3, 1];
  const sizes = { jobs: 1_000_000 * scale, bots: bots ?? 10_000 * scale, calls: 300_000 * scale };
  const settings = { rounds, scale, sizes };
  return {
    names,
    settings,
    isWhole: !isQuick && bots === undefined && names.length === all.length,
  };
}

function refuse(line: string, code: number): never {
  say(line);
  process.exit(code);
}

async function take<S extends Name>(name: S): Promise<Section> {
  // The store brings its threads to this process; the others are a load on a server.
  if (name !== 'store') await pinLoad();
  const startedAt = performance.now();
  const measured = await withFolders('data', (folder) =>
    benchmarks[name]({ ...settings, folder, say }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${name} took ${seconds.toFixed(0)} s`);
  const figures = figuresOf(name, measured, settings.sizes);
  return { ...figures, command: `make bench ONLY=${name}`, seconds };
}

function write(run: Run): void {
  const results = `bench/results/${date.replace(/\.\d+Z$/, 'Z').replaceAll(':', '-')}`;
  const [text, picture] = [report(run), plot(run.sections)];
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(`${results}.json`, `${JSON.stringify(run, null, 2)}\n`);
  writeFileSync(`${results}.svg`, picture);
  process.stdout.write(text);
  if (isWhole) {
    // The part that people wrote stays.
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
