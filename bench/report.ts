import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { type Figure, numberText, type Section } from './figure.js';
import { plot } from './plot.js';

const machine = () =>
  `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}, Node ${process.version}`;

/** Prints the figures and keeps them in bench/results/, those of a whole run also in docs/. */
export function write(date: Date, sections: readonly Section[], isWhole: boolean): string {
  const day = date.toISOString().slice(0, 10);
  const results = `bench/results/${day}-${date.toTimeString().slice(0, 8).replaceAll(':', '-')}.json`;
  const text = report(day, sections);
  process.stdout.write(text);
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(results, `${JSON.stringify({ date, machine: machine(), sections }, null, 2)}\n`);
  if (isWhole) {
    writeFileSync('docs/benchmarks.md', text);
    writeFileSync('docs/benchmarks.svg', plot(sections));
  }
  return results;
}

function report(day: string, sections: readonly Section[]): string {
  const held = sections.flatMap(({ figures }) => figures).filter(({ target }) => target);
  const met = held.filter(({ isMet }) => isMet);
  const minutes = sections.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  return `# Benchmarks

Written by \`make bench\` on ${day}, in ${minutes.toFixed(1)} minutes: ${machine()},
a disk shared with others. ${met.length} of ${held.length} targets are met.

![Every figure that has a target, by how many times better or worse it is](benchmarks.svg)

**How it is measured.** The master runs as it ships, on a core of its own; the load
is made on another. Where there is a limit to compare with (a bare grpc-js server
with the same messages, the same SQL by better-sqlite3 alone), both run by turns,
A B B A, in the same minutes, so that the ratio means something on any machine.
**How to read it.** The figure is the median of the rounds, the spread their smallest
and largest; of latencies taken in one go it is the median and the longest of them,
and the line says so. Figures without a target are there to be known. All names and
targets are in \`bench/targets.json\`; every figure, with percentiles, is in
\`bench/results/\` after a run. Why a target is missed, and what was tried, is in the
[decisions](decisions/) from 0100 on.

${sections.map(sectionText).join('\n')}`;
}

const sectionText = ({ about, command, seconds, figures }: Section) => `## ${about}

\`${command}\`${seconds > 0 ? `, ${seconds.toFixed(0)} s` : ''}

| figure | median | spread | target | | in this run |
|---|---|---|---|---|---|
${figures.map(row).join('\n')}
`;

function row({ name, unit, value, spread, target, isMet, detail }: Figure): string {
  const [low, high] = spread.map(numberText);
  const verdict = target ? (isMet ? 'met' : '**missed**') : '—';
  const text = `${numberText(value)} ${unit === 'ratio' ? '' : unit}`.trim();
  return `| ${name} | ${text} | ${low} to ${high} | ${target ?? '—'} | ${verdict} | ${detail} |`;
}
