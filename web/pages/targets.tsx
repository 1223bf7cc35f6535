import { useState } from 'preact/hooks';
import { Spark } from '../curve/spark.js';
import { Age } from '../format/ages.js';
import { covered, num, si } from '../format/figures.js';
import { inProject } from '../format/names.js';
import { HealthChip } from '../format/states.js';
import type { TargetProgress } from '../gen/pandafuzz/v1/statistics_service.js';
import { Link, pathOf } from '../route/route.js';
import { type Column, Table } from '../table/table.js';
import { Name } from '../text/text.js';

/** Rows that are drawn until somebody wants all: 200 would be 7,700 nodes, each laid out anew. */
const shown = 30;

/** Those that need people first, as `top` sorts them. */
const order: readonly string[] = [
  ...['HEALTH_CANNOT_FUZZ', 'HEALTH_NO_BOTS', 'HEALTH_WAITING', 'HEALTH_FINDING'],
  ...['HEALTH_SLOWING', 'HEALTH_FLAT', 'HEALTH_PAUSED', 'HEALTH_ENDED'],
];
const rankOf = ({ health }: TargetProgress) => (order.indexOf(health ?? '') + 9) % 9;

export const nameOf = ({ project, name = '' }: TargetProgress): string => inProject(project, name);

const columns: readonly Column<TargetProgress>[] = [
  {
    name: 'Target',
    level: 1,
    cell: (target) => (
      <Link to={pathOf('targets', target.project ?? 'default', target.name ?? '')}>
        <Name of={nameOf(target)} most={32} />
      </Link>
    ),
  },
  { name: 'Health', level: 1, cell: ({ health }) => <HealthChip of={health} /> },
  {
    name: 'Coverage, 24 h',
    level: 1,
    right: true,
    cell: ({ engines }) => {
      const [most] = engines ?? [];
      if (!most) return <span class="muted">–</span>;
      const hours = (most.hours ?? []).map(({ coverage }) =>
        coverage === undefined ? undefined : num(coverage),
      );
      const gained = num(most.gained);
      return (
        <span class="with-spark" title={`${most.engine}, as it counts`}>
          {covered(num(most.coverage))} {gained > 0 && <small class="muted">+{si(gained)}</small>}
          <Spark values={hours} />
        </span>
      );
    },
  },
  { name: 'Last find', level: 1, right: true, cell: ({ lastFindAt }) => <Age of={lastFindAt} /> },
  { name: 'New', level: 1, right: true, cell: ({ newGroups }) => si(num(newGroups)) },
  {
    name: 'Open',
    level: 2,
    right: true,
    cell: (target) => (
      <Link
        to={`/groups?${new URLSearchParams({ project: target.project ?? '', target: target.name ?? '' })}`}
      >
        {si(num(target.openGroups))}
      </Link>
    ),
  },
  {
    name: 'Exec/s',
    level: 2,
    right: true,
    cell: ({ executionsPerSecond }) => si(num(executionsPerSecond)),
  },
  { name: 'Runs', level: 3, right: true, cell: ({ running }) => si(num(running)) },
  { name: 'Why', level: 3, cell: ({ reason }) => <Name of={reason} most={60} /> },
];

export function Targets({
  targets,
  areMore,
}: {
  targets: readonly TargetProgress[];
  areMore: boolean;
}) {
  const [areAll, setAll] = useState(false);
  if (targets.length === 0) return <Begin />;
  const sorted = [...targets].sort((a, b) => rankOf(a) - rankOf(b));
  const rest = sorted.length - shown;
  const rows = (areAll ? sorted : sorted.slice(0, shown)).map((row) => ({
    id: `${row.project}/${row.name}`,
    row,
    isGone: false,
  }));
  return (
    <>
      <Table caption="Targets" columns={columns} rows={rows} />
      {rest > 0 && (
        <button type="button" aria-expanded={areAll} onClick={() => setAll(!areAll)}>
          {areAll ? 'fewer' : `+ ${rest}${areMore ? ' or more' : ''} targets`}
        </button>
      )}
      {areAll && areMore && <p class="muted">The first {targets.length}; others follow.</p>}
    </>
  );
}

const Begin = () => (
  <div class="empty">
    <p>No target yet. The first one begins so:</p>
    <pre>{'pandafuzz bot\npandafuzz job submit ./fuzzer --seeds ./corpus'}</pre>
  </div>
);
