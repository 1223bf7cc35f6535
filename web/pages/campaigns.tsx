import { call } from '../api/call.js';
import { Age } from '../format/ages.js';
import { duration, num, si } from '../format/figures.js';
import { CampaignChip } from '../format/states.js';
import type { FuzzingCampaign } from '../gen/pandafuzz/v1/campaign_service.js';
import { Link, pathOf } from '../route/route.js';
import { Chips, Choice, filterOf, TextFilter } from '../table/filter.js';
import { List, pageSize } from '../table/list.js';
import type { Column } from '../table/table.js';
import { Name } from '../text/text.js';

const columns: readonly Column<FuzzingCampaign>[] = [
  {
    name: 'Campaign',
    level: 1,
    cell: ({ id = '', spec }) => (
      <Link to={pathOf('campaigns', id)}>
        <Name of={spec?.name} most={40} />
      </Link>
    ),
  },
  { name: 'State', level: 1, cell: (campaign) => <CampaignChip of={campaign} /> },
  { name: 'Last find', level: 1, right: true, cell: ({ lastFindAt }) => <Age of={lastFindAt} /> },
  { name: 'Groups', level: 1, right: true, cell: ({ crashGroups }) => si(num(crashGroups)) },
  { name: 'Running', level: 1, right: true, cell: ({ running }) => si(num(running)) },
  { name: 'Runs', level: 2, right: true, cell: ({ runs }) => si(num(runs)) },
  {
    name: 'CPU',
    level: 2,
    right: true,
    cell: ({ cpuSeconds }) => duration(num(cpuSeconds) * 1000),
  },
  { name: 'Project', level: 2, cell: ({ spec }) => <Name of={spec?.project} most={24} /> },
  { name: 'Target', level: 3, cell: ({ spec }) => <Name of={spec?.targetName} most={28} /> },
  { name: 'Why', level: 3, cell: ({ stateReason }) => <Name of={stateReason} most={48} /> },
  { name: 'Created', level: 4, right: true, cell: ({ createdAt }) => <Age of={createdAt} /> },
];

/** Which campaigns make progress? */
export function CampaignsPage() {
  const [project, archived] = [filterOf('project'), filterOf('archived')];
  return (
    <>
      <h1>Campaigns</h1>
      <div class="filters">
        <Choice
          name="archived"
          label="Show"
          choices={[
            ['', 'those that can go on'],
            ['yes', 'archived, too'],
          ]}
        />
        <TextFilter name="project" label="Project" most={64} />
      </div>
      <Chips known={{ project: 'project', archived: 'archived' }} />
      <List<FuzzingCampaign>
        caption="Campaigns"
        question={`campaigns ${JSON.stringify([project, archived])}`}
        read={async (pageToken, abort) => {
          const request = { pageSize, pageToken, project, archived: archived === 'yes' };
          const answer = await call('CampaignService', 'ListCampaigns', request, abort);
          return { rows: answer.campaigns ?? [], next: answer.nextPageToken ?? '' };
        }}
        idOf={({ id = '' }) => id}
        columns={columns}
        empty={
          <>
            <p>No campaign here. One keeps fuzzing a target by itself:</p>
            <pre>pandafuzz campaign create NAME ./fuzzer</pre>
          </>
        }
      />
    </>
  );
}
