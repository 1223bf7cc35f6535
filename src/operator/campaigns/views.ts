import { inProject } from '../../core/project.js';
import { windowText } from '../../core/time-windows.js';
import {
  type CampaignArm,
  type CampaignEvent,
  type CampaignForecast,
  CampaignPolicy,
  type CampaignSpec,
  CampaignState,
  type EarlierBuild,
  type FuzzingCampaign,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import { ago, clockTime, duration, plain } from '../format.js';
import { shortIds } from '../short-ids.js';
import { facts, type TableColumn, table, terminalWidth } from '../table.js';
import { or, word } from '../words.js';
import { wrapped } from '../wrap.js';

/** Campaigns for people. `now` is ms since 1970. */

/** As long as lists show a build's SHA-256. */
const shownDigits = 12;
/** Of whole sentences. */
const textColumns = 80;

const columns: readonly TableColumn[] = [
  { name: 'campaign', shrinks: 'first' },
  { name: 'state', tone: true },
  { name: 'target', shrinks: 'first', leaves: 'same' },
  { name: 'builds', right: true, leaves: 'same' },
  { name: 'running', right: true },
  { name: 'runs', right: true, leaves: 'narrow' },
  { name: 'CPU', right: true },
  { name: 'finds', right: true },
  { name: 'last find', right: true },
  { name: 'groups', right: true },
  { name: 'id', wide: true },
  { name: 'weight', right: true, wide: true },
  { name: 'why', wide: true },
];

export function fuzzingTable(
  campaigns: readonly FuzzingCampaign[],
  now: number,
  width = terminalWidth(),
): string {
  if (campaigns.length === 0) return 'no campaigns: make one with "pandafuzz campaign create"';
  return table(
    columns,
    campaigns.map((campaign) => [
      nameOf(campaign),
      stateOf(campaign),
      or(campaign.spec?.targetName),
      String(campaign.spec?.builds.length ?? 0),
      String(campaign.running),
      String(campaign.runs),
      cpu(campaign.cpuSeconds),
      String(campaign.findingRuns),
      ago(campaign.lastFindAt, now),
      String(campaign.crashGroups),
      campaign.id,
      String(campaign.spec?.weight ?? 1),
      or(campaign.stuckBy === '' ? campaign.stateReason : `stuck: ${campaign.stuckBy}`),
    ]),
    width,
  );
}

/** With its project, unless that is the default one. */
export function nameOf({ spec }: FuzzingCampaign): string {
  return inProject(spec?.project, or(spec?.name));
}

const stateOf = ({ state }: FuzzingCampaign) => word(CampaignState[state]);

/** CPU time: "42 s", "3 min", "2.5 h". */
export function cpu(seconds: number): string {
  return seconds < 7200 ? duration(seconds * 1000) : `${(seconds / 3600).toFixed(1)} h`;
}

/** One campaign, with as much of what became of it as was sent. */
export function campaignDetails(
  {
    campaign,
    earlierBuilds = [],
    events = [],
    runIds = [],
    forecast,
  }: {
    campaign: FuzzingCampaign | undefined;
    earlierBuilds?: readonly EarlierBuild[];
    events?: readonly CampaignEvent[];
    runIds?: readonly string[];
    forecast?: CampaignForecast | undefined;
  },
  now: number,
): string {
  if (!campaign) return 'no campaign';
  const { spec } = campaign;
  const reason = campaign.stateReason === '' ? '' : `: ${campaign.stateReason}`;
  const short = shortIds(runIds);
  const about = facts([
    ['id', campaign.id],
    ['campaign', nameOf(campaign)],
    ['state', `${stateOf(campaign)} (${duration(now - Number(campaign.stateSince))})${reason}`],
    ...(campaign.stuckBy === '' ? [] : [['stuck', campaign.stuckBy] as const]),
    ['target', or(spec?.targetName)],
    ['weight', String(spec?.weight ?? 1)],
    ['at once', spec?.maxParallel ? String(spec.maxParallel) : 'no limit'],
    ['a run', spec?.runSeconds ? duration(spec.runSeconds * 1000) : 'by itself'],
    ['until', endOf(spec)],
    ...(spec?.notBefore ? [['begins', clockTime(spec.notBefore, now)] as const] : []),
    ...(spec?.windows.length ? [['windows', windowsOf(spec)] as const] : []),
    ...(policiesOf(spec) === '' ? [] : [['policies', policiesOf(spec)] as const]),
    ['seeds', or(spec?.seedsSha256)],
    ...(spec?.dictionarySha256 ? [['dictionary', spec.dictionarySha256] as const] : []),
    ...(spec?.arguments.length ? [['arguments', spec.arguments.join(' ')] as const] : []),
    ['running', String(campaign.running)],
    ['runs', `${campaign.runs}, of which ${campaign.findingRuns} found something`],
    ['CPU time', cpu(campaign.cpuSeconds)],
    ['last find', lastFind(campaign, now)],
    ['crash groups', String(campaign.crashGroups)],
    ...(runIds.length > 0
      ? [['newest runs', runIds.slice(0, 5).map(short).join(' ')] as const]
      : []),
  ]);
  const parts = [about, armTable(campaign.arms), ...moreToFind(forecast)];
  if (earlierBuilds.length > 0) parts.push(earlierTable(earlierBuilds, now));
  if (events.length > 0) parts.push(historyTable(events, now));
  return parts.join('\n\n');
}

/** Its forecast, at the left: what may come, what that rests on, and how earlier ones came out. */
function moreToFind(forecast: CampaignForecast | undefined): string[] {
  if (!forecast) return [];
  const lines = forecast.sentences.flatMap((sentence) => wrapped(plain(sentence), textColumns));
  return [['is there more to find?', ...lines].join('\n')];
}

function lastFind({ lastFindAt, quietCpuSeconds }: FuzzingCampaign, now: number): string {
  return lastFindAt ? `${ago(lastFindAt, now)}, ${cpu(quietCpuSeconds)} of CPU time ago` : '-';
}

const windowsOf = ({ windows, timeZone }: CampaignSpec): string =>
  `${windows.map(windowText).join('; ')} (${timeZone || 'UTC'})`;

/** Those that differ from master.yaml: "minimise on, notify off". */
const policiesOf = (spec: CampaignSpec | undefined): string =>
  Object.entries(spec?.policies ?? {})
    .filter(([, way]) => way !== CampaignPolicy.UNSPECIFIED)
    .map(([name, way]) => `${name} ${word(CampaignPolicy[way])}`)
    .join(', ');

/** "never", or what ends it. */
export function endOf(spec: CampaignSpec | undefined): string {
  const { cpuHours = 0, quietCpuHours = 0, at, firstCrash = false } = spec?.until ?? {};
  const ends = [
    ...(cpuHours > 0 ? [`${cpuHours} CPU hours are used`] : []),
    ...(quietCpuHours > 0 ? [`nothing new in ${quietCpuHours} CPU hours`] : []),
    ...(at ? [at.toISOString()] : []),
    ...(firstCrash ? ['its first crash'] : []),
  ];
  return ends.join(', or ') || 'never';
}

const armColumns: readonly TableColumn[] = [
  { name: 'build', shrinks: 'first' },
  { name: 'artifact', leaves: 'narrow' },
  { name: 'runs', right: true },
  { name: 'finds', right: true },
  { name: 'CPU', right: true },
  { name: 'groups', right: true, leaves: 'same' },
  { name: 'share', right: true },
  { name: 'why', shrinks: 'then' },
];

export const armTable = (arms: readonly CampaignArm[]): string =>
  table(
    armColumns,
    arms.map((arm) => [
      arm.build,
      arm.targetSha256.slice(0, shownDigits),
      String(arm.runs),
      String(arm.findingRuns),
      cpu(arm.cpuSeconds),
      String(arm.crashGroups),
      `${Math.round(arm.share * 100)} %`,
      or(arm.reason),
    ]),
  );

const earlierTable = (builds: readonly EarlierBuild[], now: number): string =>
  table(
    ['earlier build', 'artifact', 'from', 'until'],
    builds.map(({ build, since, until }) => [
      or(build?.name),
      or(build?.targetSha256.slice(0, shownDigits)),
      ago(since, now),
      ago(until, now),
    ]),
  );

export function historyTable(
  events: readonly CampaignEvent[],
  now: number,
  width = terminalWidth(),
): string {
  if (events.length === 0) return 'nothing has happened';
  return table(
    ['when', 'what', { name: '', shrinks: 'first' }],
    events.map(({ time, kind, text }) => [clockTime(time, now), kind, or(text)]),
    width,
  );
}
