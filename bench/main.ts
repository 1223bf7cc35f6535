import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { withFolders } from './bench.js';
import { benchFleet } from './fleet/fleet.js';
import { pinLoad } from './processes.js';
import { report, type Section } from './report.js';
import { benchCalls } from './rpc/calls.js';
import { benchOverload } from './rpc/overload.js';
import { benchStreams } from './rpc/streams.js';
import { benchSoak } from './soak/soak.js';
import { benchStore } from './store/store.js';

/**
 * `make bench`: every figure beside its limit, taken in the same run. Prints the
 * table; a whole run also brings docs/benchmarks.md up to date.
 */
const benches = {
  store: { about: 'The store, without gRPC', run: benchStore },
  calls: { about: 'Calls, beside a bare gRPC server', run: benchCalls },
  streams: { about: 'Streams, beside a bare gRPC server', run: benchStreams },
  overload: { about: 'More than it can do', run: benchOverload },
  fleet: { about: 'Ten thousand bots', run: benchFleet },
  soak: { about: 'A million calls', run: benchSoak },
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const say = (line: string) => process.stderr.write(`bench: ${line}\n`);
const names = Object.keys(benches) as (keyof typeof benches)[];
const unknown = positionals.find((name) => !names.includes(name as (typeof names)[number]));
if (unknown !== undefined) {
  say(`there is no benchmark "${unknown}": ${names.join(', ')}`);
  process.exit(64);
}
const chosen = names.filter((name) => positionals.length === 0 || positionals.includes(name));
const settings = values.quick ? { rounds: 3, scale: 0.1 } : { rounds: 3, scale: 1 };

mkdirSync('data', { recursive: true });
const sections: Section[] = [];
for (const name of chosen) {
  const { about, run } = benches[name];
  // The store brings its threads to this process; what comes after it is a load on a server.
  if (name !== 'store') await pinLoad();
  const figures = await withFolders('data', (folder) => run({ ...settings, folder, say }));
  sections.push({ name, about, figures });
}

const date = new Date().toISOString();
const machine = { cpu: cpus()[0]?.model.trim() ?? '', cores: cpus().length, node: process.version };
mkdirSync('bench/results', { recursive: true });
const results = `bench/results/${date.replace(/[:.]/g, '-')}.json`;
writeFileSync(results, `${JSON.stringify({ date, machine, settings, sections }, null, 2)}\n`);
const text = report({ date, machine, sections });
process.stdout.write(text);
if (!values.quick && chosen.length === names.length) {
  // What people wrote about it stays.
  const before = readFileSync('docs/benchmarks.md', 'utf8');
  const remarks = before.slice(before.indexOf('\n## Where a target is missed'));
  writeFileSync('docs/benchmarks.md', `${text}${remarks}`);
}
say(`written to ${results}`);
