import { useState } from 'preact/hooks';
import { call } from '../../api/call.js';
import { Age } from '../../format/ages.js';
import { bytes, num, short, si } from '../../format/figures.js';
import type { Crash } from '../../gen/pandafuzz/v1/crash.js';
import { Link, pathOf } from '../../route/route.js';
import { List, pageSize } from '../../table/list.js';
import type { Column } from '../../table/table.js';

const columns: readonly Column<Crash>[] = [
  { name: 'Crash', level: 1, cell: ({ id }) => <code>{short(id)}</code> },
  { name: 'Input', level: 1, right: true, cell: ({ inputSizeBytes }) => bytes(inputSizeBytes) },
  { name: 'Hits', level: 1, right: true, cell: ({ hits }) => si(num(hits)) },
  { name: 'Found', level: 1, right: true, cell: ({ foundAt }) => <Age of={foundAt} /> },
  {
    name: 'Reproduces',
    level: 1,
    cell: ({ reproductions }) => {
      const [last] = reproductions ?? [];
      return last ? `${num(last.crashes)} of ${num(last.runs)}` : '–';
    },
  },
  {
    name: 'Job',
    level: 2,
    cell: ({ jobId }) => <Link to={pathOf('jobs', jobId ?? '')}>{short(jobId)}</Link>,
  },
  {
    name: 'Bot',
    level: 2,
    cell: ({ botId }) => <Link to={pathOf('bots', botId ?? '')}>{short(botId)}</Link>,
  },
];

/** Its crashes, when somebody wants to see them. */
export function GroupCrashes({ groupId }: { groupId: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="panel">
      <h2>Crashes</h2>
      {!isOpen && (
        <button type="button" onClick={() => setOpen(true)}>
          Show the crashes of this group
        </button>
      )}
      {isOpen && (
        <List<Crash>
          caption="Crashes"
          question={`crashes ${groupId}`}
          read={async (pageToken, abort) => {
            const request = { groupId, pageSize, pageToken };
            const answer = await call('CrashService', 'ListCrashes', request, abort);
            return { rows: answer.crashes ?? [], next: answer.nextPageToken ?? '' };
          }}
          idOf={({ id = '' }) => id}
          columns={columns}
          empty={<p>Its crashes are no longer kept.</p>}
        />
      )}
    </section>
  );
}
