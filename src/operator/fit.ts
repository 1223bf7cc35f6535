/** How a column gives way where a table is wider than the terminal. */
export interface Column {
  readonly name: string;
  /** Figures are aligned to the right. */
  readonly right?: boolean;
  /** Long cells are shortened in their middle: those of a column that is `first` before others. */
  readonly shrinks?: 'first' | 'then';
  /** It is left out: where its cells are all the same, or before any other is shortened. */
  readonly leaves?: 'same' | 'narrow';
  /** It is in wide tables alone. */
  readonly wide?: boolean;
  /** Its words are coloured where they say that something is wrong. */
  readonly tone?: boolean;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** Between two columns. */
export const gap = 2;
const narrowest = 10;
/** Columns that are never left out: what a row is, and how it is. */
const kept = 2;

/**
 * A table that is at most `width` characters wide, as far as that is possible: columns that
 * show the same in every row go first, then those that can be missed, then long cells are
 * shortened, the widest columns most. Where that is not enough, further columns go from the right.
 */
export function fitted(table: Table, width: number): Table {
  let fitting = table;
  for (const reason of ['same', 'narrow'] as const) {
    // From the right: what stands on the left matters more.
    for (let index = fitting.columns.length - 1; index >= 0; index--) {
      if (widthOf(fitting) <= width) return fitting;
      const isDue = fitting.columns[index]?.leaves === reason;
      if (isDue && (reason === 'narrow' || isSame(fitting, index))) {
        fitting = without(fitting, index);
      }
    }
  }
  return shortened(withoutLast(fitting, width), width);
}

/** Without those columns, from the right, for which there is no room even when others are short. */
function withoutLast(table: Table, width: number): Table {
  let fitting = table;
  while (leastWidthOf(fitting) > width && fitting.columns.length > kept) {
    const same = fitting.columns.findLastIndex(({ leaves }) => leaves === 'same');
    fitting = without(fitting, same >= kept ? same : fitting.columns.length - 1);
  }
  return fitting;
}

const leastWidthOf = (table: Table): number =>
  columnWidths(table).reduce(
    (sum, width, index) =>
      sum + (table.columns[index]?.shrinks ? Math.min(width, narrowest) : width),
    (table.columns.length - 1) * gap,
  );

const lengthOf = (text: string) => [...text].length;

const columnWidths = ({ columns, rows }: Table): number[] =>
  columns.map(({ name }, index) =>
    rows.reduce((widest, row) => Math.max(widest, lengthOf(row[index] ?? '')), name.length),
  );

const widthOf = (table: Table): number =>
  columnWidths(table).reduce((sum, width) => sum + width, (table.columns.length - 1) * gap);

const isSame = ({ rows }: Table, index: number): boolean =>
  rows.every((row) => row[index] === rows[0]?.[index]);

function without({ columns, rows }: Table, index: number): Table {
  return { columns: columns.toSpliced(index, 1), rows: rows.map((row) => row.toSpliced(index, 1)) };
}

function shortened(table: Table, width: number): Table {
  const widths = columnWidths(table);
  let over = widthOf(table) - width;
  for (const turn of ['first', 'then'] as const) {
    const shrinking = [...widths.keys()].filter((index) => table.columns[index]?.shrinks === turn);
    while (over > 0 && shrinking.length > 0) {
      const widest = shrinking.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a));
      if ((widths[widest] ?? 0) <= narrowest) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      over -= 1;
    }
  }
  const rows = table.rows.map((row) => row.map((cell, index) => cut(cell, widths[index] ?? 0)));
  return { columns: table.columns, rows };
}

/** Beginning and end of a text: its end often is what tells it from another. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  if (characters.length <= length) return text;
  const end = Math.floor((length - 1) / 2);
  return [
    ...characters.slice(0, length - 1 - end),
    '…',
    ...(end > 0 ? characters.slice(-end) : []),
  ].join('');
}
