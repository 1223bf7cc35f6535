import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bench, figuresOf, type MeasuredOf, type Name, type Section } from './figure.js';
import { benchAccess, benchMtls } from './fleet/access.js';
import { benchFleet } from './fleet/fleet.js';
import { pinLoad } from './processes.js';
import { write } from './report.js';
import { benchCalls, benchSoak } from './rpc/calls.js';
import { benchCorpus } from './rpc/corpus.js';
import { benchMillion } from './rpc/million.js';
import { benchStreams } from './rpc/streams.js';
import { benchStore } from './store/store.js';
import { worstLoopDelay } from './watch.js';

/**
 * `make bench`: every figure beside its limit, taken in the same run. Prints the
 * table; a whole run also brings docs/benchmarks.md and its plot up to date.
 */
const benchmarks: { readonly [S in Single]: (bench: Bench) => Promise<MeasuredOf<S>> } = {
  store: benchStore,
  calls: benchCalls,
  streams: benchStreams,
  corpus: benchCorpus,
  scenarios: benchMillion,
  fleet: benchFleet,
  access: benchAccess,
  mtls: benchMtls,
  soak: benchSoak,
};
type Single = Exclude<Name, 'all'>;

const say = (line: string) => process.stderr.write(`bench: ${line}\n`);
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, bots: { type: 'string' } },
  allowPositionals: true,
});
const all = Object.keys(benchmarks) as Single[];
const unknown = positionals.filter((name) => !all.includes(name as Single));
if (unknown.length > 0) refuse(`there is no benchmark "${unknown}": ${all.join(', ')}`);
const [rounds, scale] = values.quick ? [1, 0.02] : [3, 1];
const bots = Number(values.bots ?? 10_000 * scale);
if (!(Number.isInteger(bots) && bots >= 40)) {
  refuse(`--bots ${values.bots}: give the size of the fleet, a whole number from 40 on`);
}
// Server and load share nothing but the disk: without a core each, the figures mean little.
if (spawnSync('taskset', ['--version']).error || cpus().length < 2) {
  refuse('server and load need a core each, and taskset (of util-linux) that gives it to them');
}

// A soak means little unless it is long: in quick only by name.
const inAll = all.filter((name) => !(values.quick && name === 'soak'));
const names = positionals.length > 0 ? all.filter((name) => positionals.includes(name)) : inAll;
const date = new Date();
const sizes = { jobs: 1_000_000 * scale, bots, calls: 300_000 * scale };
const sections: Section[] = [];
for (const name of names) sections.push(await take(name));
const loopDelay = worstLoopDelay();
if (loopDelay) {
  const worst = figuresOf('all', { loopDelay }, sizes);
  sections.push({ ...worst, command: 'make bench', seconds: 0 });
}
const isWhole = !values.quick && !values.bots && names.length === all.length;
say(`written to ${write(date, sections, isWhole)}`);

async function take<S extends Single>(name: S): Promise<Section> {
  // The store brings its threads to this process; the others are a load on a server.
  if (name !== 'store') await pinLoad();
  const startedAt = performance.now();
  mkdirSync('data', { recursive: true });
  const root = mkdtempSync('data/bench-');
  const folder = () => mkdtempSync(`${root}/`);
  const measured = await benchmarks[name]({ rounds, scale, sizes, folder, say }).finally(() =>
    rmSync(root, { recursive: true }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${name} took ${seconds.toFixed(0)} s`);
  const figures = figuresOf(name, measured, sizes);
  return { ...figures, command: `make bench ONLY=${name}`, seconds };
}

function refuse(line: string): never {
  say(line);
  process.exit(64);
}
