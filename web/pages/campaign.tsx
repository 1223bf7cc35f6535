import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Curves } from '../curve/curves.js';
import { Age } from '../format/ages.js';
import { duration, num, short, si, utc } from '../format/figures.js';
import { CampaignChip, word } from '../format/states.js';
import { Action } from '../frame/actions.js';
import { Facts, FailureLine, Loading, Panel } from '../frame/panel.js';
import { Rights } from '../frame/rights.js';
import type {
  CampaignArm,
  CampaignEvent,
  FuzzingCampaign,
} from '../gen/pandafuzz/v1/campaign_service.js';
import type { PageProps } from '../route/page-props.js';
import { Link, pathOf } from '../route/route.js';
import { type Column, Table } from '../table/table.js';
import { Name, Text } from '../text/text.js';
import { Reasons } from './reasons.js';

/** Does this make progress; if not, why? */
export function CampaignPage({ rest: [id = ''] }: PageProps) {
  const which = { campaign: id };
  const answer = useAsk(`campaign ${id}`, (signal) =>
    call('CampaignService', 'GetCampaign', which, signal),
  );
  const why = useAsk(`why ${id}`, (signal) =>
    call('CampaignService', 'ExplainCampaign', which, signal),
  );
  const campaign = answer.value?.campaign;
  if (!campaign) {
    return (
      <>
        <h1>Campaign</h1>
        {answer.failure ? <FailureLine of={answer} /> : <Loading rows={8} />}
      </>
    );
  }
  const { project = 'default', targetName = '' } = campaign.spec ?? {};
  return (
    <>
      <h1>
        <CampaignChip of={campaign} /> <Name of={campaign.spec?.name} most={80} />
      </h1>
      <Rights to="CampaignService/PauseCampaign">
        <Buttons campaign={campaign} then={answer.again} />
      </Rights>
      <Panel title="Why" of={why}>
        <Reasons of={why.value?.reasons} otherwise="Nothing keeps it from running." />
      </Panel>
      <About campaign={campaign} />
      <Curves
        coverage={{ subject: 'SERIES_SUBJECT_TARGET', name: targetName, project }}
        speed={{ subject: 'SERIES_SUBJECT_CAMPAIGN', name: campaign.key ?? '' }}
        target={{ project, name: targetName }}
        events={answer.value?.events ?? []}
      />
      <Panel title="Builds" of={why}>
        <Table
          caption="Builds"
          columns={arms}
          rows={(why.value?.arms ?? []).map((row) => ({ id: row.build ?? '', row, isGone: false }))}
        />
      </Panel>
      <Panel title="Newest runs" of={answer}>
        <p class="runs">
          {(answer.value?.runIds ?? []).map((run) => (
            <Link key={run} to={pathOf('jobs', run)}>
              {short(run)}
            </Link>
          ))}
          {(answer.value?.runIds ?? []).length === 0 && <span class="muted">None yet.</span>}
        </p>
      </Panel>
      <Panel title="History" of={answer}>
        <Table caption="History" columns={events} rows={eventRows(answer.value?.events ?? [])} />
      </Panel>
    </>
  );
}

function Buttons({ campaign, then }: { campaign: FuzzingCampaign; then: () => void }) {
  const which = { campaign: campaign.id ?? '' };
  const { state } = campaign;
  if (state === 'CAMPAIGN_STATE_ARCHIVED') return null;
  return (
    <div class="buttons">
      {state === 'CAMPAIGN_STATE_ACTIVE' ? (
        <Action
          act={async () => {
            await call('CampaignService', 'PauseCampaign', which);
            return 'It makes no further runs; those under way end as they would.';
          }}
          then={then}
        >
          Pause
        </Action>
      ) : (
        <Action
          act={async () => {
            await call('CampaignService', 'ResumeCampaign', which);
            return 'It goes on.';
          }}
          then={then}
        >
          Resume
        </Action>
      )}
      <Action
        ask="Archive this campaign? It ends for good, and its name is free again; crashes and corpus stay."
        act={async () => {
          await call('CampaignService', 'ArchiveCampaign', which);
          return 'It is archived.';
        }}
        then={then}
      >
        Archive
      </Action>
    </div>
  );
}

function About({ campaign }: { campaign: FuzzingCampaign }) {
  const { spec = {} } = campaign;
  const { project = 'default', targetName = '' } = spec;
  const groups = `/groups?${new URLSearchParams({ project, target: targetName })}`;
  return (
    <Facts
      of={[
        [
          'Target',
          <Link to={pathOf('targets', project, targetName)}>
            <Name of={targetName} />
          </Link>,
        ],
        ['Source coverage', <Link to={pathOf('coverage', project, targetName)}>line by line</Link>],
        ['Project', <Name of={project} />],
        [
          'In this state',
          <>
            <Age of={campaign.stateSince} />
            {campaign.stateReason ? (
              <>
                : <Text of={campaign.stateReason} />
              </>
            ) : (
              ''
            )}
          </>,
        ],
        ['Last find', <Age of={campaign.lastFindAt} otherwise="none yet" />],
        ['Found first', <Link to={groups}>{si(num(campaign.crashGroups))} groups</Link>],
        [
          'Runs',
          `${si(num(campaign.runs))} ended, ${si(num(campaign.findingRuns))} found something, ${si(num(campaign.running))} now`,
        ],
        [
          'CPU',
          `${duration(num(campaign.cpuSeconds) * 1000)}, ${duration(num(campaign.quietCpuSeconds) * 1000)} since the last find`,
        ],
        ['Weight', si(num(spec.weight) || 1)],
        ['Created', utc(campaign.createdAt)],
      ]}
    />
  );
}

const arms: readonly Column<CampaignArm>[] = [
  { name: 'Build', level: 1, cell: ({ build }) => <Name of={build} most={32} /> },
  { name: 'Engine', level: 1, cell: ({ engine }) => engine ?? '–' },
  {
    name: 'Share',
    level: 1,
    right: true,
    cell: ({ share }) => `${(num(share) * 100).toFixed(1)} %`,
  },
  { name: 'Runs', level: 1, right: true, cell: ({ runs }) => si(num(runs)) },
  { name: 'Finding', level: 2, right: true, cell: ({ findingRuns }) => si(num(findingRuns)) },
  {
    name: 'CPU',
    level: 2,
    right: true,
    cell: ({ cpuSeconds }) => duration(num(cpuSeconds) * 1000),
  },
  { name: 'Groups', level: 1, right: true, cell: ({ crashGroups }) => si(num(crashGroups)) },
  { name: 'Why', level: 1, cell: ({ reason }) => <Text of={reason} /> },
];

const events: readonly Column<CampaignEvent>[] = [
  { name: 'Time', level: 1, cell: ({ time }) => utc(time) },
  { name: 'Event', level: 1, cell: ({ kind }) => word(kind, 'campaign.') },
  { name: 'Detail', level: 1, cell: ({ text }) => <Text of={text} /> },
];

const eventRows = (of: readonly CampaignEvent[]) =>
  of.map((row, index) => ({ id: `${row.time} ${index}`, row, isGone: false }));
