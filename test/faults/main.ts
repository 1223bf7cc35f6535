import { mkdirSync } from 'node:fs';
import { messageOf } from '../../src/core/errors.js';
import { endAll } from '../endings.js';
import { stopwatch, within } from './load/times.js';
import { report, type Taken, write } from './report.js';
import { isKept, type Row } from './row.js';
import { rows } from './rows.js';

/**
 * `make faults`: all rows, or those of ONLY, with the seed of SEED. Prints the table; a whole run also
 * brings docs/reliability.md up to date.
 */
const longestRowMs = 5 * 60_000;
const say = (line: string) => process.stderr.write(`faults: ${line}\n`);

const wanted = (process.env['ONLY'] ?? '').split(/[ ,]+/).filter(Boolean);
const unknown = wanted.filter((name) => !rows.some(({ number }) => String(number) === name));
if (unknown.length > 0) {
  say(`there is no row ${unknown.join(', ')}: ONLY takes numbers from 1 to ${rows.length}`);
  process.exit(64);
}
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
if (!Number.isInteger(seed) || seed < 0) {
  say(`SEED=${process.env['SEED']}: give a whole number`);
  process.exit(64);
}
const isShort = process.env['SHORT'] === '1';
mkdirSync('data', { recursive: true });

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => endAll().finally(() => process.exit(130)));
}

process.once('uncaughtException', (error) => {
  say(`the load broke: ${error.stack ?? error}`);
  endAll().finally(() => process.exit(70));
});

const taken: Taken[] = [];
for (const row of rows) {
  if (wanted.length > 0 && !wanted.includes(String(row.number))) continue;
  taken.push(await take(row));
}
process.stdout.write(report(taken, seed));
if (wanted.length === 0 && !isShort) say(`written to ${write(taken, seed)}`);
// A connection of a row that broke may still wait for its master.
process.exit(taken.every(({ outcome }) => isKept(outcome)) ? 0 : 1);

async function take(row: Row): Promise<Taken> {
  say(`row ${row.number}: ${row.fault} (seed ${seed})`);
  const took = stopwatch();
  let outcome: Taken['outcome'];
  try {
    outcome = await within(longestRowMs, `end of row ${row.number}`, row.run({ seed, isShort }));
  } catch (error) {
    outcome = { operations: 0, fired: 0, violations: [`the row broke: ${messageOf(error)}`] };
  }
  await endAll();
  const broken = [...outcome.violations, ...(outcome.limits ?? [])];
  for (const violation of broken.slice(0, 20)) say(`  violation: ${violation}`);
  return { row, outcome, seconds: took() / 1000 };
}
