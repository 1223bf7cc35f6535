import { styleText } from 'node:util';
import DrawnTable from 'cli-table3';
import { type Column, fitted, type Table } from './fit.js';
import { plain } from './format.js';
import { shortIds } from './short-ids.js';
import { toned } from './tones.js';

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

/** Width of a table that shows everything: wide columns, and whole ids. */
export const whole = Number.POSITIVE_INFINITY;

/**
 * Width of the terminal that standard output is; elsewhere COLUMNS, or undefined, which shortens
 * nothing.
 */
export function terminalWidth(): number | undefined {
  if (process.stdout.isTTY && process.stdout.columns > 0) return process.stdout.columns;
  const wanted = process.env['COLUMNS'] ?? '';
  return /^[1-9]\d{0,5}$/.test(wanted) ? Number(wanted) : undefined;
}

/** Ids as a table of this width has them. */
export const idsFor = (
  width: number | undefined,
  ...ids: Parameters<typeof shortIds>
): ((id: string) => string) => (width === whole ? (id) => id : shortIds(...ids));

/**
 * Rows under headings, in columns without borders. Cells are cleaned for the terminal, and
 * fitted to its width; elsewhere they are whole.
 */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width = terminalWidth(),
): string {
  const all = { columns: columns.map(column), rows: rows.map((row) => row.map(plain)) };
  const usual = width === whole ? all : withoutWide(all);
  const shown = width ? fitted(usual, width) : usual;
  const drawn = new DrawnTable({
    chars: nothing,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    head: shown.columns.map(({ name }) => heading(name)),
    colAligns: shown.columns.map(({ right }) => (right ? 'right' : 'left')),
  });
  const tones = shown.columns.map(({ tone }) => (tone ? toned : asItIs));
  for (const row of shown.rows) drawn.push(row.map((cell, at) => (tones[at] ?? asItIs)(cell)));
  return trimmed(drawn.toString());
}

const asItIs = (cell: string) => cell;

function withoutWide({ columns, rows }: Table): Table {
  const isShown = columns.map(({ wide }) => !wide);
  const of = <Cell>(cells: readonly Cell[]) => cells.filter((_, at) => isShown[at]);
  return { columns: of(columns), rows: rows.map(of) };
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
