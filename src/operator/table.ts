import { styleText } from 'node:util';
import Table from 'cli-table3';
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
export type Column = string | { readonly right: string };

const headingOf = (column: Column) => (typeof column === 'string' ? column : column.right);

/** Rows under headings, in columns without borders. Cells are cleaned for the terminal. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    chars: nothing,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    head: columns.map((column) => heading(headingOf(column))),
    colAligns: columns.map((column) => (typeof column === 'string' ? 'left' : 'right')),
  });
  for (const row of rows) drawn.push(row.map(plain));
  return trimmed(drawn.toString());
}

/** Names and values, one pair a line. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${heading(name.padEnd(width))}  ${plain(value)}`).join('\n');
}

/** styleText itself looks at NO_COLOR and at whether standard output is a terminal. */
export const heading = (text: string): string =>
  styleText('bold', text, { stream: process.stdout });

const trimmed = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
