import type { Figure } from './figure.js';

/** The figures of one benchmark. */
export interface Section {
  readonly about: string;
  /** Takes these figures again. */
  readonly command: string;
  /** Of the measurements. */
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

export interface Run {
  /** When it began, ISO 8601. */
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGib: number;
    readonly system: string;
    readonly node: string;
  };
  readonly settings: object;
  readonly sections: readonly Section[];
}

/** The text of docs/benchmarks.md, without the sections that people write into it. */
export function report({ date, machine, sections }: Run): string {
  const { cpu, cores, memoryGib, system, node } = machine;
  const held = sections.flatMap(({ figures }) => figures).filter(({ target }) => target);
  const met = held.filter(({ isMet }) => isMet);
  const minutes = sections.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  return `# Benchmarks

Written by \`make bench\` on ${date.slice(0, 10)}, in ${minutes.toFixed(1)} minutes: ${cores} cores (${cpu}), ${memoryGib} GiB,
${system}, Node ${node.slice(1)}, a disk shared with others. ${met.length} of ${held.length} targets are met.

![Every figure that has a target, by how many times better or worse it is](benchmarks.svg)

**How it is measured.** The master runs as it ships, on a core of its own; the load
is made on another. Where there is a limit to compare with (a bare grpc-js server
with the same messages, the same SQL by better-sqlite3 alone), both run by turns,
A B B A, in the same minutes, so that the ratio means something on any machine.
**How to read it.** The figure is the median of the rounds, the spread their smallest
and largest; of latencies taken in one go it is the median and the longest of them,
and the line says so. Figures without a target are there to be known. All names and
targets are in \`bench/targets.json\`; every figure, with percentiles, is in
\`bench/results/\` after a run.

${sections.map(sectionText).join('\n')}`;
}

function sectionText({ about, command, seconds, figures }: Section): string {
  return `## ${about}

\`${command}\`${seconds > 0 ? `, ${seconds.toFixed(0)} s` : ''}

| figure | median | spread | target | | in this run |
|---|---|---|---|---|---|
${figures.map(row).join('\n')}
`;
}

function row(figure: Figure): string {
  const { name, spread, target, isMet, detail } = figure;
  const [low, high] = spread.map(numberText);
  const aim = target ? `${target.is} ${target.bound}` : '—';
  const verdict = target ? (isMet ? 'met' : '**missed**') : '—';
  return `| ${name} | ${valueText(figure)} | ${low} to ${high} | ${aim} | ${verdict} | ${detail} |`;
}

export const valueText = ({ value, unit }: Figure): string =>
  unit === 'ratio' ? numberText(value) : `${numberText(value)}${unit === '/s' ? '' : ' '}${unit}`;

/** With as many digits as mean something. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
