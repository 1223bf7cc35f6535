import { call } from '../api/call.js';
import { masterNow } from '../api/line.js';
import type { CrashGroup, CrashGroupStatus } from '../gen/pandafuzz/v1/crash.js';
import { Chips, Choice, filterOf, TextFilter } from '../table/filter.js';
import { List, pageSize } from '../table/list.js';
import { groupColumns } from './group-rows.js';

const statuses: Readonly<Record<string, CrashGroupStatus>> = {
  new: 'CRASH_GROUP_STATUS_NEW',
  confirmed: 'CRASH_GROUP_STATUS_CONFIRMED',
  fixed: 'CRASH_GROUP_STATUS_FIXED',
  'wont-fix': 'CRASH_GROUP_STATUS_WONT_FIX',
  ignored: 'CRASH_GROUP_STATUS_IGNORED',
};

const times: Readonly<Record<string, number>> = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 };

const known = {
  ...{ status: 'status', q: 'text', project: 'project', target: 'target', kind: 'kind' },
  ...{ since: 'met in the last', first: 'first met in the last' },
};

/** Which bugs need me? */
export function GroupsPage() {
  const filters = Object.keys(known).map((name) => [name, filterOf(name)] as const);
  const question = `groups ${JSON.stringify(filters)}`;
  return (
    <>
      <h1>Crash groups</h1>
      <div class="filters">
        <Choice
          name="status"
          label="Status"
          choices={[['', 'all'], ...Object.keys(statuses).map((one) => [one, one] as const)]}
        />
        <Choice
          name="first"
          label="First met in"
          choices={[['', 'all time'], ...Object.keys(times).map((one) => [one, one] as const)]}
        />
        <TextFilter name="q" label="Text" />
        <TextFilter name="target" label="Target" most={128} />
        <TextFilter name="kind" label="Kind" most={128} />
      </div>
      <Chips known={known} />
      <List<CrashGroup>
        caption="Crash groups"
        question={question}
        read={read}
        idOf={({ id = '' }) => id}
        columns={groupColumns}
        empty={
          filters.some(([, value]) => value !== '') ? (
            <p>No group fits these filters; each can be taken away above.</p>
          ) : (
            <p>No crash yet. Each new cause of crashes appears here.</p>
          )
        }
      />
    </>
  );
}

async function read(pageToken: string, abort: AbortSignal) {
  const request = {
    pageSize,
    pageToken,
    status: statuses[filterOf('status')] ?? 'CRASH_GROUP_STATUS_UNSPECIFIED',
    text: filterOf('q'),
    project: filterOf('project'),
    targetName: filterOf('target'),
    kind: filterOf('kind'),
    ...timeOf('since', 'since'),
    ...timeOf('first', 'newSince'),
  } as const;
  const { groups, nextPageToken } = await call('CrashService', 'ListCrashGroups', request, abort);
  return { rows: groups ?? [], next: nextPageToken ?? '' };
}

function timeOf<Name extends string>(filter: string, field: Name) {
  const hours = times[filterOf(filter)];
  if (hours === undefined) return {};
  // To the minute: page tokens belong to one question.
  const at = Math.floor((masterNow() - hours * 3_600_000) / 60_000) * 60_000;
  return { [field]: new Date(at).toISOString() };
}
