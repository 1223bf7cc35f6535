// biome-ignore-all lint/a11y/noRedundantRoles: boxes, as rows are below 600 px, lose the roles of a table
import type { ComponentChildren } from 'preact';
import type { ShownRow } from './rows.js';

/** 1: always shown … 4: on wide screens alone. */
export type Level = 1 | 2 | 3 | 4;

export interface Column<Row> {
  readonly name: string;
  readonly level: Level;
  /** Figures are aligned to the right. */
  readonly right?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly ShownRow<Row>[];
}

/** The first column names the row, and stays in sight. Roles: below 600 px rows are boxes. */
export function Table<Row>({ caption, columns, rows }: TableProps<Row>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="scroller" tabIndex={0} aria-label={caption}>
      <table role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.name} scope="col" role="columnheader" class={classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map(({ id, row, isGone }) => (
            <tr key={id} role="row" class={isGone ? 'gone' : undefined}>
              {columns.map((column, index) => cellOf(column, row, index === 0))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const classOf = <Row,>({ level, right }: Column<Row>) => `level-${level}${right ? ' right' : ''}`;

function cellOf<Row>(column: Column<Row>, row: Row, isFirst: boolean) {
  const { name, cell } = column;
  const content = cell(row);
  return isFirst ? (
    <th key={name} scope="row" role="rowheader" class={classOf(column)}>
      {content}
    </th>
  ) : (
    <td key={name} role="cell" class={classOf(column)} data-label={name}>
      {content}
    </td>
  );
}
