import { type Figure, isMet } from './measure.js';

/** The figures of one benchmark. */
export interface Section {
  readonly name: string;
  readonly about: string;
  readonly figures: readonly Figure[];
}

/** What docs/benchmarks.md says. */
export function report(run: {
  date: string;
  machine: { cpu: string; cores: number; node: string };
  sections: readonly Section[];
}): string {
  const { cpu, cores, node } = run.machine;
  return `# Benchmarks

Written by \`make bench\` on ${run.date.slice(0, 10)}: ${cores} cores (${cpu}), Node ${node.slice(1)}, a disk
shared with others. Figures are ratios against a limit measured in the same run,
by turns with it, so that they mean something on any machine: the median over
the rounds, and the smallest and the largest.

${run.sections.map(sectionText).join('\n')}`;
}

function sectionText({ name, about, figures }: Section): string {
  return `## ${about}

\`make bench ONLY=${name}\`

| figure | median | spread | target | | in this run |
|---|---|---|---|---|---|
${figures.map(row).join('\n')}
`;
}

const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

function row(figure: Figure): string {
  const { name, value, spread, unit, target, detail } = figure;
  const shown = unit === 'ratio' ? number(value) : `${number(value)} ${unit}`;
  const [low, high] = spread.map(number);
  const verdict = isMet(figure) ? 'met' : '**missed**';
  return `| ${name} | ${shown} | ${low} to ${high} | ${target.is} ${target.bound} | ${verdict} | ${detail} |`;
}
