import { styleText } from 'node:util';
import DrawnTable from 'cli-table3';
import { type Column, fitted } from './fit.js';
import { plain } from './format.js';

const nothing = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A heading; with `right`, the column's figures are aligned to the right. */
export type TableColumn = string | { readonly right: string } | Column;

/** Width of the terminal that standard output is; undefined where it is none. */
export const terminalWidth = (): number | undefined =>
  process.stdout.isTTY ? process.stdout.columns : undefined;

/**
 * Rows under headings, in columns without borders. Cells are cleaned for the terminal, and
 * fitted to its width; elsewhere they are whole.
 */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width = terminalWidth(),
): string {
  const whole = { columns: columns.map(column), rows: rows.map((row) => row.map(plain)) };
  const shown = width ? fitted(whole, width) : whole;
  const drawn = new DrawnTable({
    chars: nothing,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    head: shown.columns.map(({ name }) => heading(name)),
    colAligns: shown.columns.map(({ right }) => (right ? 'right' : 'left')),
  });
  for (const row of shown.rows) drawn.push([...row]);
  return trimmed(drawn.toString());
}

function column(given: TableColumn): Column {
  if (typeof given === 'string') return { name: given };
  return 'name' in given ? given : { name: given.right, right: true };
}

/** Names and values, one pair a line; further lines of a value stand under its first. */
export function facts(pairs: readonly (readonly [string, string])[], labelWidth = 0): string {
  const width = Math.max(labelWidth, ...pairs.map(([name]) => name.length));
  const next = `\n${' '.repeat(width + 2)}`;
  return pairs
    .map(([name, value]) => {
      const lines = value.split('\n').map(plain);
      return `${heading(name.padEnd(width))}  ${lines.join(next)}`;
    })
    .join('\n');
}

/** styleText itself looks at NO_COLOR and at whether standard output is a terminal. */
export const heading = (text: string): string =>
  styleText('bold', text, { stream: process.stdout });

const trimmed = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
