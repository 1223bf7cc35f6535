import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import type { FuzzingCampaign } from '../gen/pandafuzz/v1/campaign_service.js';
import type { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import type { Job } from '../gen/pandafuzz/v1/job.js';

/** States in words: shape, word and colour, so that none is told by colour alone. */

type Tone = 'good' | 'run' | 'warn' | 'bad' | 'new' | 'still';

const shapes: Readonly<Record<Tone, string>> = {
  ...{ good: '✓', run: '▶', warn: '▲', bad: '✕', new: '★', still: '■' },
};

export function Chip({ tone, word }: { tone: Tone; word: string }) {
  return (
    <span class={`chip ${tone}`}>
      <span aria-hidden="true">{shapes[tone]} </span>
      {word}
    </span>
  );
}

/** "JOB_STATE_RUNNING" as "running". */
export const word = (name: string | undefined, prefix: string): string =>
  (name ?? 'unknown').replace(prefix, '').toLowerCase().replaceAll('_', ' ');

const healthTones: Readonly<Record<string, Tone>> = {
  HEALTH_FINDING: 'good',
  HEALTH_SLOWING: 'warn',
  HEALTH_FLAT: 'warn',
  HEALTH_CANNOT_FUZZ: 'bad',
  HEALTH_NO_BOTS: 'bad',
  HEALTH_WAITING: 'warn',
};

export const HealthChip = ({ of }: { of: string | undefined }) => (
  <Chip tone={healthTones[of ?? ''] ?? 'still'} word={word(of, 'HEALTH_')} />
);

const jobTones: Readonly<Record<string, Tone>> = {
  JOB_STATE_ASSIGNED: 'run',
  JOB_STATE_RUNNING: 'run',
  JOB_STATE_COMPLETED: 'good',
  JOB_STATE_DEAD: 'bad',
};

export function JobChip({ of }: { of: Job }) {
  const isWanted = of.cancelRequestedAt ?? of.pauseRequestedAt;
  const isOver = of.finishedAt !== undefined || of.state === 'JOB_STATE_PAUSED';
  const stopping = isWanted !== undefined && !isOver ? ' (stopping)' : '';
  const tone = jobTones[of.state ?? ''] ?? 'still';
  return <Chip tone={tone} word={word(of.state, 'JOB_STATE_') + stopping} />;
}

export function BotChip({ of }: { of: Bot }) {
  const state = word(of.state, 'BOT_STATE_');
  if (of.health?.problem) return <Chip tone="bad" word={`${state} (unwell)`} />;
  if (of.heldUntil) return <Chip tone="bad" word={`${state} (held back)`} />;
  if (state === 'online') return <Chip tone="good" word={state} />;
  return <Chip tone={state === 'offline' ? 'warn' : 'still'} word={state} />;
}

const groupTones: Readonly<Record<string, Tone>> = {
  new: 'new',
  reopened: 'new',
  fixed: 'good',
  confirmed: 'warn',
};

export function groupStatus({ status, reopenedAt }: CrashGroup): string {
  if (status === 'CRASH_GROUP_STATUS_NEW' && reopenedAt) return 'reopened';
  return word(status, 'CRASH_GROUP_STATUS_').replace('wont fix', "won't fix");
}

export function GroupChip({ of }: { of: CrashGroup }) {
  const status = groupStatus(of);
  return <Chip tone={groupTones[status] ?? 'still'} word={status} />;
}

const campaignTones: Readonly<Record<string, Tone>> = { CAMPAIGN_STATE_ACTIVE: 'run' };

export const CampaignChip = ({ of }: { of: FuzzingCampaign }) => (
  <Chip tone={campaignTones[of.state ?? ''] ?? 'still'} word={word(of.state, 'CAMPAIGN_STATE_')} />
);

/** "heap-buffer-overflow in parse_header (png.c:41)", as the command has it. */
export function titleOf({ kind = '', topFrame = '', message = '', frames }: CrashGroup): string {
  const [first] = frames ?? [];
  const file = first?.file?.split(/[/\\]/).at(-1) ?? '';
  const place = file === '' ? '' : `${file}${first?.line ? `:${first.line}` : ''}`;
  if (topFrame === 'unknown' || topFrame === '')
    return message === '' ? kind : `${kind}: ${message}`;
  return `${kind} in ${topFrame}${place === '' || topFrame.includes(place) ? '' : ` (${place})`}`;
}
