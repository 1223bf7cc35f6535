import { spark } from '../../../core/figures.js';
import { fenced, text } from '../../crashes/markdown.js';
import { count } from '../../format.js';
import type { Block, Chart } from './blocks.js';

/** A report in Markdown; curves are characters, since few places show pictures that stand in it. */

export const markdownReport = (blocks: readonly Block[]): string =>
  `${blocks.map(markdownOf).join('\n\n')}\n`;

function markdownOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${text(block.text)}`;
    case 'text':
      return text(block.text);
    case 'facts':
      return block.facts.map(([name, value]) => `- ${text(name)}: ${text(value)}`).join('\n');
    case 'table':
      return markdownTable(block);
    case 'charts':
      return markdownTable(curves(block.charts));
    case 'code':
      return fenced(block.code, block.language);
  }
}

type Table = Extract<Block, { kind: 'table' }>;

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(' | ')} |`;
  const rule = columns.map(({ right }) => (right ? '--:' : '---')).join(' | ');
  return [line(columns.map(({ name }) => name)), `| ${rule} |`, ...rows.map(line)].join('\n');
}

const sparkWidth = 40;

const curves = (charts: readonly Chart[]): Table => ({
  kind: 'table',
  columns: [
    { name: '' },
    { name: 'first', right: true },
    { name: 'latest', right: true },
    { name: 'most', right: true },
    { name: 'over time' },
  ],
  rows: charts.map((chart) => {
    const values = chart.curve.points.map(({ value }) => value);
    return [
      chart.title,
      count(values[0] ?? 0),
      count(values.at(-1) ?? 0),
      count(Math.max(...values)),
      spark(evenly(chart), { width: sparkWidth, isUtf8: true }),
    ];
  }),
});

/** A value for each step of its time; undefined where nothing was measured. */
function evenly({ curve: { points, stepMs }, isStanding }: Chart): (number | undefined)[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  const steps = Math.round((last.time - first.time) / stepMs) + 1;
  const width = Math.min(sparkWidth, steps);
  const values: (number | undefined)[] = Array.from({ length: width }, () => undefined);
  for (const { time, value } of points) {
    const at = Math.floor((Math.round((time - first.time) / stepMs) * width) / steps);
    values[at] = Math.max(values[at] ?? value, value);
  }
  if (!isStanding) return values;
  let standing: number | undefined;
  return values.map((value) => {
    standing = value ?? standing;
    return standing;
  });
}
