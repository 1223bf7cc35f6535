import { isolationNamed } from '../core/isolation.js';
import { type Bot, Isolation } from '../gen/pandafuzz/v1/bot.js';
import {
  type Attempt,
  AttemptEnd,
  type Campaign,
  type Job,
  JobOutcome,
  type JobSpec,
} from '../gen/pandafuzz/v1/job.js';
import type { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { ago, bytes, count, duration } from './format.js';
import { shortIds } from './short-ids.js';
import { facts, type TableColumn, table } from './table.js';
import { botState, jobKind, jobState, or, word } from './words.js';

/** Tables and details for people. `now` is ms since 1970. */

const jobColumns: readonly TableColumn[] = [
  'id',
  'state',
  { name: 'engine', leaves: 'same' },
  { name: 'target', shrinks: 'first' },
  { name: 'name', shrinks: 'first', leaves: 'same' },
  { name: 'execs', right: true },
  { name: 'execs/s', right: true, leaves: 'narrow' },
  { name: 'cov', right: true },
  { name: 'hits', right: true },
  { name: 'kept', right: true },
  { name: 'created', right: true },
];

/** @param width of the terminal; undefined: any */
export function jobTable(jobs: readonly Job[], now: number, width?: number): string {
  if (jobs.length === 0) return 'no jobs';
  const short = shortIds(jobs.map(({ id }) => id));
  const rows = jobs.map((job) => {
    const { statistics } = job;
    const rate = job.finishedAt ? '-' : count(statistics?.executionsPerSecond ?? 0);
    const kind = jobKind(job);
    return [
      short(job.id),
      jobState(job),
      or(job.spec?.engine),
      or(job.spec?.targetName),
      job.spec?.name || (kind === 'fuzz' ? '-' : kind),
      count(statistics?.executions ?? 0),
      rate,
      count(statistics?.coverage ?? 0),
      count(statistics?.crashHits ?? 0),
      count(statistics?.crashInputsKept ?? 0),
      ago(job.createdAt, now),
    ];
  });
  return table(jobColumns, rows, width);
}

export function jobDetails(job: Job, attempts: readonly Attempt[], now: number): string {
  const { spec, statistics, result } = job;
  const limits = spec?.limits;
  const about = facts([
    ['id', job.id],
    ['state', jobState(job)],
    ['name', or(spec?.name)],
    ['campaign', or(spec?.campaign)],
    ['project', or(spec?.project)],
    ['kind', jobKind(job)],
    ...worksOn(spec),
    ['engine', or(spec?.engine)],
    ['target', `${or(spec?.targetName)} (${spec?.targetSha256 ?? ''})`],
    ['seeds', or(spec?.seedsSha256)],
    ['arguments', or(spec?.arguments.join(' '))],
    ['priority', String(spec?.priority ?? 0)],
    ['duration', duration((limits?.maxDurationSeconds ?? 0) * 1000)],
    ['memory', `${limits?.maxMemoryMib ?? 0} MiB`],
    ['disk', limits?.maxDiskMib ? `${limits.maxDiskMib} MiB` : '-'],
    ['processes', limits?.maxProcesses ? String(limits.maxProcesses) : '-'],
    ['network', limits?.network ? 'yes' : 'no'],
    ['requires', or(requirementsOf(spec))],
    ['attempt', attemptsOf(job)],
    ['bot', or(job.botId)],
    ['created', ago(job.createdAt, now)],
    ['started', ago(job.startedAt, now)],
    ['finished', ago(job.finishedAt, now)],
    ['executions', count(statistics?.executions ?? 0)],
    ['coverage', count(statistics?.coverage ?? 0)],
    ['corpus', `${statistics?.corpusFiles ?? 0} files, ${bytes(statistics?.corpusBytes ?? 0)}`],
    ['hits', count(statistics?.crashHits ?? 0)],
    ['kept', count(statistics?.crashInputsKept ?? 0)],
    [
      'last result',
      result ? [word(JobOutcome[result.outcome]), result.message].filter(Boolean).join(': ') : '-',
    ],
  ]);
  if (attempts.length === 0) return about;
  return `${about}\n\n${attemptTable(attempts, now)}`;
}

/** The crash that a job reproduces or minimises; of several, how many. */
function worksOn(spec: JobSpec | undefined): [string, string][] {
  const inputs = spec?.crashWork?.inputs ?? [];
  if (inputs.length === 0) return [];
  return [
    ['works on', inputs.length === 1 ? `crash ${inputs[0]?.crashId}` : `${inputs.length} crashes`],
  ];
}

function attemptsOf(job: Job): string {
  const used = `${job.failedAttempts} failed and ${job.refusedAttempts} refused`;
  return `${job.attempt} (${used} of ${job.spec?.maxAttempts ?? 0}; ${job.lostAttempts} lost)`;
}

function requirementsOf(spec: JobSpec | undefined): string {
  const { labels = {}, memoryMib = 0, diskMib = 0, isolation = 0 } = spec?.requirements ?? {};
  const level = isolationNamed(isolation);
  return [
    ...labelsOf(labels),
    ...(level ? [`isolation ${level}`] : []),
    ...(memoryMib > 0 ? [`${memoryMib} MiB of memory`] : []),
    ...(diskMib > 0 ? [`${diskMib} MiB of disk`] : []),
  ].join(', ');
}

function attemptTable(attempts: readonly Attempt[], now: number): string {
  return table(
    ['fence', 'attempt', 'bot', { right: 'assigned' }, { right: 'ended' }, 'end', 'message'],
    attempts.map((one) => [
      String(one.fence),
      String(one.attempt),
      one.botId,
      ago(one.assignedAt, now),
      ago(one.endedAt, now),
      one.endedAt ? word(AttemptEnd[one.end]) : '-',
      or(one.message),
    ]),
  );
}

export function campaignTable(campaigns: readonly Campaign[]): string {
  if (campaigns.length === 0) return 'no campaigns';
  return table(
    ['campaign', { right: 'weight' }, { right: 'max' }, { right: 'running' }, { right: 'pending' }],
    campaigns.map(({ key, weight, maxParallel, running, pending }) => [
      or(key),
      String(weight),
      maxParallel === 0 ? '-' : String(maxParallel),
      String(running),
      String(pending),
    ]),
  );
}

export function botTable(bots: readonly Bot[], now: number): string {
  if (bots.length === 0) return 'no bots: start one with "pandafuzz bot"';
  const short = shortIds(bots.map(({ id }) => id));
  return table(
    [
      'id',
      { name: 'name', shrinks: 'first' },
      'state',
      { name: 'engines', shrinks: 'then' },
      { name: 'isolation', leaves: 'narrow' },
      { right: 'jobs' },
      { right: 'slots' },
      { right: 'seen' },
    ],
    bots.map((bot) => [
      short(bot.id),
      bot.name,
      botState(bot),
      bot.engines.join(','),
      isolationOf(bot),
      String(bot.runningJobs),
      String(bot.slots),
      ago(bot.lastSeenAt, now),
    ]),
  );
}

const isolationOf = ({ containment }: Bot): string =>
  or(isolationNamed(containment?.level ?? Isolation.UNSPECIFIED));

export function botDetails(bot: Bot, now: number): string {
  const gaps = bot.containment?.gaps ?? [];
  return facts([
    ['id', bot.id],
    ['name', bot.name],
    ['state', botState(bot)],
    ['version', or(bot.version)],
    ['engines', or(bot.engines.join(', '))],
    ['isolation', isolationOf(bot)],
    ...gaps.map((gap): [string, string] => ['missing', gap]),
    ['labels', or(labelsOf(bot.labels).join(', '))],
    ['slots', `${bot.slots}, ${bot.runningJobs} running`],
    ['memory', bot.memoryMib > 0 ? `${bot.memoryMib} MiB a slot` : '-'],
    ['disk', bot.diskMib > 0 ? `${bot.diskMib} MiB a slot` : '-'],
    ['registered', ago(bot.registeredAt, now)],
    ['seen', ago(bot.lastSeenAt, now)],
    ['drain wanted', ago(bot.drainRequestedAt, now)],
    ['drained', ago(bot.drainedAt, now)],
  ]);
}

const labelsOf = (labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);

/** States with jobs in them, and always those that people look for. */
function jobCounts({ jobs }: GetSystemStatsResponse): string {
  const { pending = 0, assigned = 0, running = 0, ...rest } = jobs ?? {};
  const others = Object.entries({ assigned, ...rest }).filter(([, figure]) => figure > 0);
  return [['pending', pending], ['running', running], ...others]
    .map(([state, figure]) => `${figure} ${state}`)
    .join(', ');
}

export function statsView(stats: GetSystemStatsResponse, now: number): string {
  const up = stats.startedAt ? duration(now - stats.startedAt.getTime()) : '-';
  return facts([
    ['master', `${stats.version}, up ${up}`],
    ['bots', `${stats.botsOnline} online of ${stats.botsTotal}, ${stats.freeSlots} free slots`],
    ['jobs', jobCounts(stats)],
    ['executions', `${count(stats.executionsPerSecond)}/s`],
    ['groups', count(stats.crashGroups)],
    ['hits', count(stats.crashHits)],
    ['kept', count(stats.crashInputsKept)],
    ['disk', `${bytes(stats.databaseBytes)} database, ${bytes(stats.diskFreeBytes)} free`],
  ]);
}
