import { type Bot, BotState } from '../gen/pandafuzz/v1/bot.js';
import { type CrashGroup, CrashGroupStatus } from '../gen/pandafuzz/v1/crash.js';
import { type Job, JobKind, JobState } from '../gen/pandafuzz/v1/job.js';

/** States as people read and type them. */

export const word = (name: string | undefined): string => (name ?? 'unknown').toLowerCase();

/** A dash for what is empty. */
export const or = (text: string | undefined): string => text || '-';

export function jobState(job: Job): string {
  const isWanted = job.cancelRequestedAt ?? job.pauseRequestedAt;
  const isOver = job.finishedAt !== undefined || job.state === JobState.PAUSED;
  const stopping = isWanted !== undefined && !isOver;
  return word(JobState[job.state]) + (stopping ? ' (stopping)' : '');
}

export function botState(bot: Bot): string {
  const state = word(BotState[bot.state]);
  if (bot.health?.problem) return `${state} (unwell)`;
  return bot.heldUntil ? `${state} (held back)` : state;
}

/** "fuzz", or what it does with crashes. */
export function jobKind(job: Job): string {
  const kind = job.spec?.kind ?? JobKind.UNSPECIFIED;
  return kind === JobKind.UNSPECIFIED ? 'fuzz' : word(JobKind[kind]);
}

export const groupStatuses = ['new', 'confirmed', 'fixed', 'wont-fix', 'ignored'] as const;
export type GroupStatus = (typeof groupStatuses)[number];

/** The status that a word names; undefined for any other word. Forms of spelling count as one. */
export function groupStatusOf(text: string): CrashGroupStatus | undefined {
  const name = text
    .toUpperCase()
    .replaceAll("'", '')
    .replaceAll('-', '_')
    .replace('WONTFIX', 'WONT_FIX');
  const statuses: Record<string, CrashGroupStatus> = {
    NEW: CrashGroupStatus.NEW,
    CONFIRMED: CrashGroupStatus.CONFIRMED,
    FIXED: CrashGroupStatus.FIXED,
    WONT_FIX: CrashGroupStatus.WONT_FIX,
    IGNORED: CrashGroupStatus.IGNORED,
  };
  return statuses[name];
}

/** A group that came back after it was fixed is "reopened", though its status is new. */
export function groupStatus(group: CrashGroup): string {
  if (group.status === CrashGroupStatus.NEW && group.reopenedAt) return 'reopened';
  return word(CrashGroupStatus[group.status]).replaceAll('_', '-');
}
