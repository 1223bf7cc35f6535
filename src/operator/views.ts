import { isolationNamed } from '../core/isolation.js';
import { inProject } from '../core/project.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import {
  type Attempt,
  AttemptEnd,
  type Campaign,
  type Job,
  JobOutcome,
  type JobResult,
  type JobSpec,
  type JobStatistics,
} from '../gen/pandafuzz/v1/job.js';
import type { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { enginesOf, isolationOf } from './bot-view.js';
import { ago, bytes, count, duration, plain } from './format.js';
import { facts, idsFor, type TableColumn, table, terminalWidth } from './table.js';
import { botState, jobKind, jobState, or, word } from './words.js';

/** Tables and details for people. `now` is ms since 1970. */

const jobColumns: readonly TableColumn[] = [
  'id',
  { name: 'state', tone: true },
  { name: 'engine', leaves: 'same' },
  { name: 'target', shrinks: 'first' },
  { name: 'name', shrinks: 'first', leaves: 'same' },
  { name: 'execs', right: true },
  { name: 'execs/s', right: true, leaves: 'narrow' },
  { name: 'cov', right: true },
  { name: 'hits', right: true },
  { name: 'kept', right: true },
  { name: 'notes', right: true, leaves: 'same', tone: true },
  { name: 'created', right: true },
  { name: 'campaign', wide: true },
  { name: 'bot', wide: true },
  { name: 'build', wide: true },
];

/** From here on the age of figures is shown, milliseconds. */
const oldFiguresMs = 10_000;

/** @param width of the table, as `table` has it */
export function jobTable(jobs: readonly Job[], now: number, width = terminalWidth()): string {
  if (jobs.length === 0) return 'no jobs';
  const short = idsFor(
    width,
    jobs.map(({ id }) => id),
  );
  const rows = jobs.map((job) => {
    const { statistics } = job;
    const rate = count(statistics?.executionsPerSecond ?? 0);
    const kind = jobKind(job);
    return [
      short(job.id),
      jobState(job),
      or(job.spec?.engine),
      targetOf(job),
      job.spec?.name || (kind === 'fuzz' ? '-' : kind),
      executed(statistics),
      rate,
      count(statistics?.coverage ?? 0),
      count(statistics?.crashHits ?? 0),
      count(statistics?.crashInputsKept ?? 0),
      notesMarker(statistics),
      ago(job.createdAt, now),
      or(job.spec?.campaign),
      or(job.botId),
      or(job.spec?.targetSha256),
    ];
  });
  return table(jobColumns, rows, width);
}

/** How many notes `job get` shows. */
const notesMarker = (statistics: JobStatistics | undefined) =>
  statistics?.notes.length ? `${statistics.notes.length}!` : '-';

/** With its project, unless that is the default one. */
function targetOf({ spec }: Job): string {
  return inProject(spec?.project, or(spec?.targetName));
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
    ...(spec?.executable ? [['executable', spec.executable] as [string, string]] : []),
    ['seeds', or(spec?.seedsSha256)],
    ...(spec?.dictionarySha256 ? [['dictionary', spec.dictionarySha256] as [string, string]] : []),
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
    ['fuzzed', duration(statistics?.elapsedMs ?? 0)],
    ['executions', executed(statistics) + ageOf(statistics) + rateOf(job)],
    ['coverage', count(statistics?.coverage ?? 0)],
    ['corpus', `${statistics?.corpusFiles ?? 0} files, ${bytes(statistics?.corpusBytes ?? 0)}`],
    ['hits', count(statistics?.crashHits ?? 0)],
    ['kept', count(statistics?.crashInputsKept ?? 0)],
    ...startsOf(statistics),
    ...notesOf(statistics),
    ['figures', job.statisticsAt ? `of ${ago(job.statisticsAt, now)}` : '-'],
    ['last result', result ? resultOf(result) : '-'],
  ]);
  if (attempts.length === 0) return about;
  return `${about}\n\n${attemptTable(attempts, now)}`;
}

/** Of the running attempt, or the mean of a job that has ended. */
function rateOf({ statistics, finishedAt }: Job): string {
  const when = finishedAt ? 'on average' : 'now';
  return ` (${count(statistics?.executionsPerSecond ?? 0)} a second ${when})`;
}

/** An estimate where the engine's own figure is not from now. */
function executed(statistics: JobStatistics | undefined): string {
  const { executions = 0, executionsEstimate = 0 } = statistics ?? {};
  return executionsEstimate > executions ? `~${count(executionsEstimate)}` : count(executions);
}

/** Of an estimate: the figure that the engine reported, and when. */
function ageOf(statistics: JobStatistics | undefined): string {
  const { executions = 0, figuresAgeMs = 0 } = statistics ?? {};
  const isOld = figuresAgeMs >= oldFiguresMs;
  return isOld ? ` (reported: ${count(executions)}, ${duration(figuresAgeMs)} before)` : '';
}

function startsOf(statistics: JobStatistics | undefined): [string, string][] {
  const { engineStarts = 0, restartingMs = 0, elapsedMs = 0 } = statistics ?? {};
  if (engineStarts < 2) return [];
  const share = elapsedMs > 0 ? Math.round((100 * restartingMs) / elapsedMs) : 0;
  return [['starts', `${count(engineStarts)} of the engine, ${share} % of the time`]];
}

function notesOf(statistics: JobStatistics | undefined): [string, string][] {
  const texts = (statistics?.notes ?? []).map(({ text }) => text);
  return texts.length > 0 ? [['notes', texts.join('\n')]] : [];
}

function resultOf({ outcome, message, final }: JobResult): string {
  const what = final ? `${word(JobOutcome[outcome])} for good` : word(JobOutcome[outcome]);
  return [what, message].filter(Boolean).join(': ');
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
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    ...(level ? [`isolation ${level}`] : []),
    ...(memoryMib > 0 ? [`${memoryMib} MiB of memory`] : []),
    ...(diskMib > 0 ? [`${diskMib} MiB of disk`] : []),
  ].join(', ');
}

function attemptTable(attempts: readonly Attempt[], now: number): string {
  return table(
    [
      { name: 'fence', leaves: 'narrow' },
      { name: 'attempt' },
      { name: 'bot', shrinks: 'first' },
      { name: 'assigned', right: true, leaves: 'narrow' },
      { right: 'ended' },
      { name: 'end', tone: true },
      { right: 'fuzzed' },
      { right: 'execs' },
      { right: 'hits' },
      { right: 'kept' },
      { name: 'message', shrinks: 'first' },
    ],
    attempts.map((one) => [
      String(one.fence),
      String(one.attempt),
      one.botId,
      ago(one.assignedAt, now),
      ago(one.endedAt, now),
      one.endedAt ? word(AttemptEnd[one.end]) : '-',
      one.statistics ? duration(one.statistics.elapsedMs) : '-',
      one.statistics ? count(one.statistics.executions) : '-',
      one.statistics ? count(one.statistics.crashHits) : '-',
      one.statistics ? count(one.statistics.crashInputsKept) : '-',
      or(firstLine(one.message)),
    ]),
  );
}

/** A table's row has one line; the details of a job show the last message whole. */
const firstLine = (text: string): string => {
  const [first = '', ...rest] = text.trim().split('\n');
  return rest.length > 0 ? `${first} …` : first;
};

export function campaignTable(campaigns: readonly Campaign[], width = terminalWidth()): string {
  if (campaigns.length === 0) return 'no campaigns';
  return table(
    [
      { name: 'campaign', shrinks: 'first' },
      { right: 'weight' },
      { right: 'max' },
      { right: 'running' },
      { right: 'pending' },
    ],
    campaigns.map(({ key, weight, maxParallel, running, pending }) => [
      or(key),
      String(weight),
      maxParallel === 0 ? '-' : String(maxParallel),
      String(running),
      String(pending),
    ]),
    width,
  );
}

export function botTable(bots: readonly Bot[], now: number, width = terminalWidth()): string {
  if (bots.length === 0) return 'no bots: start one with "pandafuzz bot"';
  const troubles = bots.flatMap((bot) => botTrouble(bot, now).map((why) => `${bot.name}: ${why}`));
  const rows = botRows(bots, now, width);
  return troubles.length > 0 ? `${rows}\n\n${troubles.map(plain).join('\n')}` : rows;
}

/** Why a bot gets no jobs, by its own report and by the master's. */
function botTrouble({ health, heldUntil, heldWhy, failedStarts }: Bot, now: number): string[] {
  if (health?.problem) return [`takes no jobs: ${health.problem}`];
  if (failedStarts === 0) return [];
  const starts = failedStarts === 1 ? 'its last start' : `its last ${failedStarts} starts`;
  const until = heldUntil
    ? `held back for ${duration(heldUntil.getTime() - now)}`
    : 'gets one job at a time';
  return [`${until}, as ${starts} failed: ${heldWhy}`];
}

function botRows(bots: readonly Bot[], now: number, width: number | undefined): string {
  const short = idsFor(
    width,
    bots.map(({ id }) => id),
  );
  return table(
    [
      'id',
      { name: 'name', shrinks: 'first' },
      { name: 'state', tone: true },
      { name: 'engines', shrinks: 'then' },
      { name: 'isolation', leaves: 'narrow' },
      { right: 'jobs' },
      { right: 'slots' },
      { right: 'seen' },
      { name: 'labels', wide: true },
      { name: 'version', wide: true },
    ],
    bots.map((bot) => [
      short(bot.id),
      bot.name,
      botState(bot),
      enginesOf(bot),
      isolationOf(bot),
      String(bot.runningJobs),
      String(bot.slots),
      ago(bot.lastSeenAt, now),
      or(labelsOf(bot.labels)),
      or(bot.version),
    ]),
    width,
  );
}

const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** A line for each bot that is not who it wants to be, or is wanted to be by another. */
export function botRemarks(bots: readonly Bot[], now: number): string[] {
  return bots.flatMap(({ name, wantedName, rivalRefusedAt }) => [
    ...(wantedName ? [`${name} asked to be ${wantedName}, as a live bot is named already`] : []),
    ...(rivalRefusedAt
      ? [
          `${name} runs twice, or its work folder was copied: another process was refused ${ago(rivalRefusedAt, now)}`,
        ]
      : []),
  ]);
}

/** States with jobs in them, and always those that people look for. */
function jobCounts({ jobs }: GetSystemStatsResponse): string {
  const { pending = 0, assigned = 0, running = 0, ...rest } = jobs ?? {};
  const others = Object.entries({ assigned, ...rest }).filter(([, figure]) => figure > 0);
  return [['pending', pending], ['running', running], ...others]
    .map(([state, figure]) => `${figure} ${state}`)
    .join(', ');
}

/** A folder is beside the database, as anybody expects. */
function blobStore({ blobStore: store }: GetSystemStatsResponse): [string, string][] {
  if (!store || store.kind === 'folder') return [];
  const { location, failedRequests: failed } = store;
  return [['blobs', failed === 0 ? location : `${location}, ${count(failed)} failed requests`]];
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
    ...blobStore(stats),
    ...stats.warnings.map((warning) => ['unsafe', warning] as const),
  ]);
}
