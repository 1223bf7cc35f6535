import { Age } from '../format/ages.js';
import { num, si } from '../format/figures.js';
import { GroupChip, titleOf } from '../format/states.js';
import type { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { Link, pathOf } from '../route/route.js';
import { type Column, Table } from '../table/table.js';
import { Name, Text } from '../text/text.js';

export const groupColumns: readonly Column<CrashGroup>[] = [
  {
    name: 'Group',
    level: 1,
    cell: (group) => (
      <span class="two">
        <Link to={pathOf('groups', group.id ?? '')}>
          <Name of={titleOf(group)} most={64} />
        </Link>
        {group.message && (
          <small class="muted">
            <Text of={group.message} most={100} />
          </small>
        )}
      </span>
    ),
  },
  { name: 'Status', level: 1, cell: (group) => <GroupChip of={group} /> },
  { name: 'Target', level: 2, cell: ({ targetName }) => <Name of={targetName} most={28} /> },
  { name: 'Hits', level: 2, right: true, cell: ({ crashHits }) => si(num(crashHits)) },
  { name: 'Last seen', level: 1, right: true, cell: ({ lastFoundAt }) => <Age of={lastFoundAt} /> },
  {
    name: 'First seen',
    level: 3,
    right: true,
    cell: ({ firstFoundAt }) => <Age of={firstFoundAt} />,
  },
  {
    name: 'Inputs',
    level: 3,
    right: true,
    cell: ({ crashInputsKept }) => si(num(crashInputsKept)),
  },
  { name: 'Builds', level: 3, right: true, cell: ({ builds }) => si(num(builds)) },
  { name: 'Bots', level: 4, right: true, cell: ({ bots }) => si(num(bots)) },
  { name: 'Security', level: 3, cell: ({ security }) => (security ? 'yes' : '–') },
  { name: 'Set by', level: 4, cell: ({ statusSetBy }) => <Name of={statusSetBy} most={20} /> },
];

export const GroupRows = ({ of }: { of: readonly CrashGroup[] }) => (
  <Table
    caption="Newest crash groups"
    columns={groupColumns}
    rows={of.map((row) => ({ id: row.id ?? '', row, isGone: false }))}
  />
);
