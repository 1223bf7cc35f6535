import { type Bot, BotState } from '../gen/pandafuzz/v1/bot.js';
import type { Crash, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import {
  type Attempt,
  AttemptEnd,
  type Campaign,
  type Job,
  JobOutcome,
  type JobSpec,
  JobState,
} from '../gen/pandafuzz/v1/job.js';
import type { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { ago, bytes, clockTime, count, duration, plain, plainLines } from './format.js';
import { facts, heading, table } from './table.js';

/** Tables and details for people. `now` is ms since 1970. */

const word = (name: string | undefined) => (name ?? 'unknown').toLowerCase();
const or = (text: string | undefined) => text || '-';

export function jobState(job: Job): string {
  const isWanted = job.cancelRequestedAt ?? job.pauseRequestedAt;
  const isOver = job.finishedAt !== undefined || job.state === JobState.PAUSED;
  const stopping = isWanted !== undefined && !isOver;
  return word(JobState[job.state]) + (stopping ? ' (stopping)' : '');
}

export function jobTable(jobs: readonly Job[], now: number): string {
  if (jobs.length === 0) return 'no jobs';
  return table(
    [
      ...['id', 'state', 'engine', 'target', 'name', { right: 'execs' }, { right: 'execs/s' }],
      ...[{ right: 'cov' }, { right: 'crashes' }, { right: 'created' }],
    ],
    jobs.map((job) => {
      const { statistics } = job;
      const rate = job.finishedAt ? '-' : count(statistics?.executionsPerSecond ?? 0);
      return [
        ...[job.id, jobState(job), or(job.spec?.engine), or(job.spec?.targetName)],
        ...[or(job.spec?.name), count(statistics?.executions ?? 0), rate],
        ...[count(statistics?.coverage ?? 0), count(statistics?.crashes ?? 0)],
        ago(job.createdAt, now),
      ];
    }),
  );
}

export function jobDetails(job: Job, attempts: readonly Attempt[], now: number): string {
  const { spec, statistics, result } = job;
  const limits = spec?.limits;
  const about = facts([
    ['id', job.id],
    ['state', jobState(job)],
    ['name', or(spec?.name)],
    ['campaign', or(spec?.campaign)],
    ['engine', or(spec?.engine)],
    ['target', `${or(spec?.targetName)} (${spec?.targetSha256 ?? ''})`],
    ['seeds', or(spec?.seedsSha256)],
    ['arguments', or(spec?.arguments.join(' '))],
    ['priority', String(spec?.priority ?? 0)],
    ['duration', duration((limits?.maxDurationSeconds ?? 0) * 1000)],
    ['memory', `${limits?.maxMemoryMib ?? 0} MiB`],
    ['requires', or(requirementsOf(spec))],
    ['attempt', attemptsOf(job)],
    ['bot', or(job.botId)],
    ['created', ago(job.createdAt, now)],
    ['started', ago(job.startedAt, now)],
    ['finished', ago(job.finishedAt, now)],
    ['executions', count(statistics?.executions ?? 0)],
    ['coverage', count(statistics?.coverage ?? 0)],
    ['corpus', `${statistics?.corpusFiles ?? 0} files, ${bytes(statistics?.corpusBytes ?? 0)}`],
    ['crashes', count(statistics?.crashes ?? 0)],
    [
      'last result',
      result ? [word(JobOutcome[result.outcome]), result.message].filter(Boolean).join(': ') : '-',
    ],
  ]);
  if (attempts.length === 0) return about;
  return `${about}\n\n${attemptTable(attempts, now)}`;
}

function attemptsOf(job: Job): string {
  const used = `${job.failedAttempts} failed and ${job.refusedAttempts} refused`;
  return `${job.attempt} (${used} of ${job.spec?.maxAttempts ?? 0}; ${job.lostAttempts} lost)`;
}

function requirementsOf(spec: JobSpec | undefined): string {
  const { labels = {}, memoryMib = 0, diskMib = 0 } = spec?.requirements ?? {};
  return [
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    ...(memoryMib > 0 ? [`${memoryMib} MiB of memory`] : []),
    ...(diskMib > 0 ? [`${diskMib} MiB of disk`] : []),
  ].join(', ');
}

function attemptTable(attempts: readonly Attempt[], now: number): string {
  return table(
    ['fence', 'attempt', 'bot', { right: 'assigned' }, { right: 'ended' }, 'end', 'message'],
    attempts.map((one) => [
      ...[String(one.fence), String(one.attempt), one.botId, ago(one.assignedAt, now)],
      ...[ago(one.endedAt, now), one.endedAt ? word(AttemptEnd[one.end]) : '-', or(one.message)],
    ]),
  );
}

export function campaignTable(campaigns: readonly Campaign[]): string {
  if (campaigns.length === 0) return 'no campaigns';
  return table(
    ['campaign', { right: 'weight' }, { right: 'max' }, { right: 'running' }, { right: 'pending' }],
    campaigns.map(({ key, weight, maxParallel, running, pending }) => [
      ...[or(key), String(weight), maxParallel === 0 ? '-' : String(maxParallel)],
      ...[String(running), String(pending)],
    ]),
  );
}

export function botTable(bots: readonly Bot[], now: number): string {
  if (bots.length === 0) return 'no bots: start one with "pandafuzz bot"';
  return table(
    ['id', 'name', 'state', 'engines', { right: 'jobs' }, { right: 'slots' }, { right: 'seen' }],
    bots.map((bot) => [
      ...[bot.id, bot.name, word(BotState[bot.state]), bot.engines.join(',')],
      ...[String(bot.runningJobs), String(bot.slots), ago(bot.lastSeenAt, now)],
    ]),
  );
}

export function crashGroupTable(groups: readonly CrashGroup[], now: number): string {
  if (groups.length === 0) return 'no crashes';
  return table(
    ['group', 'kind', 'top frame', 'target', { right: 'count' }, { right: 'first found' }],
    groups.map((group) => [
      ...[group.id, group.kind, group.topFrame, group.targetName],
      ...[String(group.count), clockTime(group.firstFoundAt, now)],
    ]),
  );
}

export function crashTable(crashes: readonly Crash[], now: number): string {
  if (crashes.length === 0) return 'no crashes';
  return table(
    ['crash', 'kind', 'top frame', 'job', { right: 'input' }, { right: 'found' }],
    crashes.map((crash) => [
      ...[crash.id, crash.kind, crash.topFrame, crash.jobId],
      ...[
        bytes(crash.inputSizeBytes),
        clockTime(crash.foundAt, now) + (crash.late ? ' (late)' : ''),
      ],
    ]),
  );
}

export function crashDetails(crash: Crash, now: number): string {
  const about = facts([
    ['id', crash.id],
    ['group', crash.groupId],
    ['kind', crash.kind],
    ['target', crash.targetName],
    ['job', `${crash.jobId} (attempt ${crash.attempt})`],
    ['bot', crash.botId],
    ['input', `${bytes(crash.inputSizeBytes)}, ${crash.inputSha256}`],
    [
      'found',
      clockTime(crash.foundAt, now) + (crash.late ? ' (under a lease no longer valid)' : ''),
    ],
  ]);
  const frames = crash.frames.map((frame, depth) => `  #${depth} ${plain(frame)}`).join('\n');
  return `${about}\n\n${heading('stack')}\n${frames}\n\n${heading('report')}\n${plainLines(crash.report)}`;
}

export function statsView(stats: GetSystemStatsResponse, now: number): string {
  const { jobs } = stats;
  const up = stats.startedAt ? duration(now - stats.startedAt.getTime()) : '-';
  return facts([
    ['master', `${stats.version}, up ${up}`],
    ['bots', `${stats.botsOnline} online of ${stats.botsTotal}, ${stats.freeSlots} free slots`],
    [
      'jobs',
      `${jobs?.pending ?? 0} pending, ${jobs?.assigned ?? 0} assigned, ${jobs?.running ?? 0} running, ` +
        `${jobs?.paused ?? 0} paused, ${jobs?.completed ?? 0} completed, ` +
        `${jobs?.cancelled ?? 0} cancelled, ${jobs?.dead ?? 0} dead`,
    ],
    ['executions', `${count(stats.executionsPerSecond)}/s`],
    ['crashes', `${stats.crashes} in ${stats.crashGroups} groups`],
    ['disk', `${bytes(stats.databaseBytes)} database, ${bytes(stats.diskFreeBytes)} free`],
  ]);
}
