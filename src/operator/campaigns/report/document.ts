import { grouped } from '../../../core/figures.js';
import { inputFile, replayLine } from '../../../core/replay.js';
import {
  type CampaignArm,
  CampaignSharing,
  type CampaignSpec,
  CampaignState,
  type EarlierBuild,
} from '../../../gen/pandafuzz/v1/campaign_service.js';
import type { CoverageFile } from '../../../gen/pandafuzz/v1/coverage_service.js';
import type { Crash, CrashGroup } from '../../../gen/pandafuzz/v1/crash.js';
import { changeOf, comparison, linesOf } from '../../coverage/words.js';
import { type Facts, many, securityOf, stackLines, titleOf } from '../../crashes/describe.js';
import { cut } from '../../fit.js';
import { count, duration, plain } from '../../format.js';
import { groupStatus, or, word } from '../../words.js';
import { cpu, endOf, nameOf } from '../views.js';
import type { Block, Chart } from './blocks.js';
import type { NamedCurve } from './figures.js';
import type { CampaignReport } from './gather.js';

/** What a report of a campaign says, in the order in which it is read. */

/** Characters of a name, a value or a cell, of a paragraph, and of a command line. */
const longest = 300;
const longestText = 2000;
const longestCommand = 4000;
const shownDigits = 12;
/** Frames of a stack: `crash report` has the rest. */
const shownFrames = 12;

export function documentOf(report: CampaignReport): Block[] {
  const { whole, at } = report;
  const blocks = [
    heading(1, `Campaign ${nameOf(whole.campaign)}`),
    text(`As of ${utc(at)}.`),
    ...whatRan(report),
    ...overTime(report),
    ...sourceCoverage(report),
    ...moreToFind(report),
    ...crashGroups(report),
    ...whatHappened(report),
  ];
  return blocks.map(shortened);
}

/** Without what is too long of texts that came from elsewhere; code is bounded where it is made. */
function shortened(block: Block): Block {
  switch (block.kind) {
    case 'heading':
      return { ...block, text: short(block.text) };
    case 'text':
      return { ...block, text: short(block.text, longestText) };
    case 'facts':
      return { ...block, facts: block.facts.map(([name, value]) => [name, short(value)]) };
    case 'table':
      return { ...block, rows: block.rows.map((row) => row.map((cell) => short(cell))) };
    case 'charts':
      return { ...block, charts: block.charts.map((one) => ({ ...one, title: short(one.title) })) };
    case 'code':
      return block;
  }
}

const heading = (level: 1 | 2 | 3, of: string): Block => ({ kind: 'heading', level, text: of });
const text = (of: string): Block => ({ kind: 'text', text: of });

function whatRan({ whole, figures, at }: CampaignReport): Block[] {
  const { campaign, earlierBuilds } = whole;
  const { spec } = campaign;
  const age = campaign.createdAt ? at.getTime() - campaign.createdAt.getTime() : 0;
  const reason = campaign.stateReason === '' ? '' : `: ${campaign.stateReason}`;
  const facts: Facts = [
    ['target', `${or(spec?.targetName)} (project ${or(spec?.project)})`],
    ['state', `${word(CampaignState[campaign.state])}${reason}`],
    ['made', `${utc(campaign.createdAt)} (${duration(age)} before this report)`],
    ['until', endOf(spec)],
    ['weight', String(spec?.weight ?? 1)],
    ['shares of its builds', sharingOf(spec)],
    ...(spec?.arguments.length ? [['arguments', spec.arguments.join(' ')] as const] : []),
    ['seeds', or(spec?.seedsSha256)],
    ...(spec?.dictionarySha256 ? [['dictionary', spec.dictionarySha256] as const] : []),
    [
      'runs that ended',
      `${grouped(campaign.runs)}, of which ${grouped(campaign.findingRuns)} found something`,
    ],
    ['their CPU time', cpu(campaign.cpuSeconds)],
    ['crash groups that they found first', grouped(campaign.crashGroups)],
    ['runs under way', String(campaign.running)],
    ['executions', grouped(figures.executions)],
    ['crashes met', grouped(figures.crashHits)],
    ['last find', campaign.lastFindAt ? utc(campaign.lastFindAt) : 'none'],
  ];
  return [
    heading(2, 'What ran'),
    { kind: 'facts', facts },
    heading(3, 'Builds'),
    builds(campaign.arms),
    ...(earlierBuilds.length > 0 ? [heading(3, 'Earlier builds'), earlier(earlierBuilds)] : []),
  ];
}

const sharingOf = (spec: CampaignSpec | undefined): string =>
  spec?.sharing === CampaignSharing.EVEN ? 'even' : 'by return';

const builds = (arms: readonly CampaignArm[]): Block => ({
  kind: 'table',
  columns: [
    { name: 'build' },
    { name: 'engine' },
    { name: 'artifact' },
    { name: 'runs', right: true },
    { name: 'finds', right: true },
    { name: 'CPU', right: true },
    { name: 'groups', right: true },
    { name: 'share', right: true },
    { name: 'why' },
  ],
  rows: arms.map((arm) => [
    arm.build,
    arm.engine,
    arm.targetSha256.slice(0, shownDigits),
    grouped(arm.runs),
    grouped(arm.findingRuns),
    cpu(arm.cpuSeconds),
    grouped(arm.crashGroups),
    `${Math.round(arm.share * 100)} %`,
    or(arm.reason),
  ]),
});

const earlier = (all: readonly EarlierBuild[]): Block => ({
  kind: 'table',
  columns: [{ name: 'build' }, { name: 'artifact' }, { name: 'from' }, { name: 'until' }],
  rows: all.map(({ build, since, until }) => [
    or(build?.name),
    or(build?.targetSha256.slice(0, shownDigits)),
    utc(since),
    utc(until),
  ]),
});

function overTime({ figures, whole }: CampaignReport): Block[] {
  const charts = figures.curves.filter(({ points }) => points.length > 0).map(chartOf);
  if (charts.length === 0) return [heading(2, 'Over time'), text('Nothing was measured yet.')];
  const about =
    `Coverage is that of the target ${or(whole.campaign.spec?.targetName)}, of all its runs; each ` +
    'engine counts it in its own way.';
  return [heading(2, 'Over time'), text(about), { kind: 'charts', charts }];
}

function chartOf(curve: NamedCurve): Chart {
  const { figure, engine } = curve;
  const titles = {
    coverage: `coverage by ${engine || 'an unknown engine'}`,
    executions_per_second: 'executions in a second',
    running: 'runs at once',
    crash_groups: 'crash groups found',
  };
  const title = titles[figure];
  const isStanding = figure === 'crash_groups';
  return { title, curve, isFromZero: figure !== 'coverage', isStanding };
}

/** Files of a report, those with the most lines that did not run first. */
const shownFiles = 20;

function sourceCoverage({ coverage }: CampaignReport): Block[] {
  if (!coverage) return [];
  const { report, files } = coverage;
  const facts: Facts = [
    ['lines that ran', linesOf(report.sums)],
    ['beside the report before', comparison(report)],
    ['made', `${utc(report.at)} by ${report.tools}, of ${many(report.inputs, 'input')}`],
    ...(report.note === '' ? [] : [['missing', report.note] as const]),
  ];
  const left = ({ sums }: CoverageFile) => (sums?.lines ?? 0) - (sums?.coveredLines ?? 0);
  const largest = [...files].sort((a, b) => left(b) - left(a)).slice(0, shownFiles);
  const table: Block = {
    kind: 'table',
    columns: [
      { name: 'file' },
      { name: 'lines that ran', right: true },
      { name: 'change', right: true },
    ],
    rows: largest.map(({ path, sums, change }) => [path, linesOf(sums), changeOf(change)]),
  };
  const rest = files.length - largest.length;
  return [
    heading(2, 'Source coverage'),
    { kind: 'facts', facts },
    table,
    ...(rest > 0 ? [text(`And ${many(rest, 'more file', 'more files')}.`)] : []),
  ];
}

function moreToFind({ whole: { forecast } }: CampaignReport): Block[] {
  if (!forecast) return [];
  return [heading(2, 'Is there more to find?'), text(forecast.sentences.join(' '))];
}

function crashGroups({ groups: { shown, more, areMore }, whole }: CampaignReport): Block[] {
  const title = heading(2, 'Crash groups');
  if (shown.length === 0 && more === 0) return [title, text('None was met since it was made.')];
  const target = short(or(whole.campaign.spec?.targetName));
  const others = `${areMore ? `more than ${more}` : more} more`;
  return [
    title,
    text(
      `Those of the target ${target} that were met since the campaign was made, the newest first.`,
    ),
    ...(shown.length > 0 ? [overview(shown)] : []),
    ...(more > 0 ? [text(`There are ${others}: "pandafuzz crash list" shows them.`)] : []),
    ...shown.flatMap(oneGroup),
  ];
}

type Shown = CampaignReport['groups']['shown'];

const overview = (shown: Shown): Block => ({
  kind: 'table',
  columns: [
    { name: 'group' },
    { name: 'status' },
    { name: 'hits', right: true },
    { name: 'crash' },
  ],
  rows: shown.map(({ group }) => [
    group.id,
    groupStatus(group),
    count(group.crashHits),
    titleOf(group),
  ]),
});

function oneGroup({ group, crash }: { group: CrashGroup; crash: Crash }): Block[] {
  const facts: Facts = [
    ['group', group.id],
    ['status', groupStatus(group)],
    ...(group.note === '' ? [] : [['note', group.note] as const]),
    ['security', securityOf(crash)],
    ['met', `${many(group.crashHits, 'time')} in ${many(group.builds, 'build')}`],
    ['first met', utc(group.firstFoundAt)],
    ['last met', utc(group.lastFoundAt)],
    ['build', or(crash.context?.targetSha256)],
    ['reproduced', reproducedOf(crash)],
  ];
  const frames = stackLines(crash);
  const rest = frames.length - shownFrames;
  const stack = frames.slice(0, shownFrames).map((frame) => short(frame));
  return [
    heading(3, titleOf(group)),
    { kind: 'facts', facts },
    {
      kind: 'code',
      language: 'text',
      code: [...stack, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n') || 'no stack',
    },
    { kind: 'code', language: 'sh', code: reproducer(crash).join('\n') },
  ];
}

/** Shell commands that fetch the input and run it alone. */
export function reproducer(crash: Crash): string[] {
  const line = replayLine(crash, inputFile);
  return [
    `pandafuzz crash download ${crash.id} -o ${inputFile}`,
    line.length <= longestCommand ? line : `pandafuzz crash get ${crash.id}   # has the command`,
  ];
}

function reproducedOf({ reproductions: [newest] }: Crash): string {
  if (!newest) return 'not tried';
  const { crashes, runs, at } = newest;
  return `${crashes} of ${runs}${crashes > 0 && crashes < runs ? ' (flaky)' : ''}, ${utc(at)}`;
}

function whatHappened({ whole: { campaign, events, runIds } }: CampaignReport): Block[] {
  const table: Block = {
    kind: 'table',
    columns: [{ name: 'when' }, { name: 'what' }, { name: '' }],
    rows: events.map(({ time, kind, text: about }) => [utc(time), kind, or(about)]),
  };
  return [
    heading(2, 'What happened'),
    ...(events.length > 0 ? [table] : [text('Nothing has happened.')]),
    text(`"pandafuzz campaign history ${campaign.id}" has all of it.`),
    ...(runIds.length > 0 ? [text(`Its newest runs: ${runIds.join(', ')}.`)] : []),
  ];
}

/** "2026-11-28 07:20 UTC": a report is read elsewhere, and later. */
function utc(time: Date | undefined): string {
  return time ? `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '-';
}

const short = (of: string, most = longest): string => cut(plain(of), most);
