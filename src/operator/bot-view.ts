import { coverageWork } from '../core/coverage-work.js';
import { isolationNamed } from '../core/isolation.js';
import type { Bot, BotEngine } from '../gen/pandafuzz/v1/bot.js';
import { Isolation } from '../gen/pandafuzz/v1/isolation.js';
import { JobKind } from '../gen/pandafuzz/v1/job.js';
import { ago } from './format.js';
import { facts, table } from './table.js';
import { botState, or, word } from './words.js';

/** Engines of a bot in one line: with versions where it announced them. */
export function enginesOf({ engines, engineDetails }: Bot): string {
  if (engineDetails.length === 0) return engines.join(',');
  return engineDetails
    .map(({ name, version }) => (version ? `${name} ${version}` : name))
    .join(', ');
}

/** The level of isolation that a bot has, and whether its runs are root. */
export function isolationOf({ containment }: Bot): string {
  const level = or(isolationNamed(containment?.level ?? Isolation.UNSPECIFIED));
  return containment?.runsAsRoot ? `${level}, as root` : level;
}

/** `pandafuzz bot get`. */
export function botView(bot: Bot, now: number): string {
  const labels = Object.entries(bot.labels).map(([key, value]) => `${key}=${value}`);
  const about = facts([
    ['id', bot.id],
    ['name', bot.name],
    ['state', botState(bot)],
    ['jobs', `${bot.runningJobs} of ${bot.slots}`],
    ['labels', or(labels.join(', '))],
    ['memory', bot.memoryMib > 0 ? `${bot.memoryMib} MiB a slot` : '-'],
    ['disk', bot.diskMib > 0 ? `${bot.diskMib} MiB a slot` : '-'],
    ['isolation', isolationOf(bot)],
    ...(bot.containment?.gaps ?? []).map((gap) => ['missing', gap] as const),
    ['version', or(bot.version)],
    ['registered', ago(bot.registeredAt, now)],
    ['seen', ago(bot.lastSeenAt, now)],
    ['drain wanted', ago(bot.drainRequestedAt, now)],
    ['drained', ago(bot.drainedAt, now)],
    ...(bot.engineDetails.length > 0 ? [] : [['engines', or(bot.engines.join(', '))] as const]),
  ]);
  return bot.engineDetails.length > 0 ? `${about}\n\n${engineTable(bot.engineDetails)}` : about;
}

function engineTable(engines: readonly BotEngine[]): string {
  return table(
    ['engine', 'version', 'kinds of jobs', { name: 'note', shrinks: 'first' }],
    engines.map(({ name, version, kinds, note }) => [
      name,
      version || 'of the target',
      [
        ...(name === coverageWork ? [] : ['fuzz']),
        ...kinds.map((kind) => word(JobKind[kind])),
      ].join(', '),
      or(note),
    ]),
  );
}
