import { writeFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { isKept, type Outcome, type Row } from './row.js';

export interface Taken {
  readonly row: Row;
  readonly outcome: Outcome;
  readonly seconds: number;
}

const verdict = (outcome: Outcome): string => {
  if (outcome.skipped !== undefined) return `not tried: ${outcome.skipped}`;
  if (outcome.fired === 0) return '**the fault never happened**';
  return isKept(outcome)
    ? 'kept'
    : `**${outcome.violations.length + (outcome.limits?.length ?? 0)} violations**`;
};

const figuresOf = ({ figures = {} }: Outcome): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** The table, as it is printed and as it stands in docs/reliability.md. */
export function report(taken: readonly Taken[], seed: number): string {
  const line = ({ row, outcome, seconds }: Taken) =>
    `| ${row.number} | ${row.fault} | ${outcome.operations} | ${outcome.fired} | ${verdict(outcome)} | ${figuresOf(outcome)} | ${seconds.toFixed(0)} s |`;
  return `| row | fault, under load | operations | faults that happened | promise | figures | time |
|---|---|---|---|---|---|---|
${taken.map(line).join('\n')}

Seed ${seed}: \`SEED=${seed} make faults\` makes the same decisions again, \`ONLY=7\` one row of it.
`;
}

export function write(taken: readonly Taken[], seed: number): string {
  const path = 'docs/reliability.md';
  writeFileSync(path, page(taken, seed));
  return path;
}

function page(taken: readonly Taken[], seed: number): string {
  const kept = taken.filter(
    ({ outcome }) => outcome.skipped === undefined && isKept(outcome),
  ).length;
  const seconds = taken.reduce((sum, each) => sum + each.seconds, 0);
  const operations = taken.reduce((sum, { outcome }) => sum + outcome.operations, 0);
  const faults = taken.reduce((sum, { outcome }) => sum + outcome.fired, 0);
  const promise = ({ row }: Taken) => `## ${row.number}. ${row.fault}

${row.promise}

${row.found.length > 0 ? `Found: ${row.found.join(' ')}` : 'It has found nothing yet.'}
`;
  return `# Reliability

Written by \`make faults\` on ${new Date().toISOString().slice(0, 10)}, in ${(seconds / 60).toFixed(1)} minutes: ${cpus().length} cores, ${type()} ${release()}, Node ${process.version}.
${kept} of ${taken.length} promises kept, ${operations} operations, ${faults} faults.

**How it works.** A real master runs as it ships, under bots and operators of a seed, while a row brings
about its fault. Every request and answer is recorded with its times; afterwards the checker replays
them beside the database and the blobs that the master left: every acknowledged write is there,
once; nothing is there that nobody asked for; answers agree with real time; at most one lease of a
job is valid at each instant; counters equal what the events add up to; blobs match their names;
SQLite's integrity and foreign keys hold. A row whose fault never happened fails.
\`test/faults/checker/planted.test.ts\` plants each kind of violation, and the checker has to find it.
Short forms of the rows run in \`make test\`.

${report(taken, seed)}
${taken.map(promise).join('\n')}`;
}
