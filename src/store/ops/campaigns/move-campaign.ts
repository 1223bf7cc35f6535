import { NotFoundError } from '../../../core/errors.js';
import type { CampaignStateName, LoadedCampaign } from '../../campaign-rows.js';
import { pageOperation, writeOperation } from '../../operation.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { recordHistory } from '../events/record-history.js';
import { loaded, lockCampaign } from './load-campaign.js';
import { leaveArms, releaseArms } from './set-arms.js';
import { expectChangeable } from './update-campaign.js';

interface Move {
  id: string;
  to: CampaignStateName;
  /** For people. */
  reason: string;
  dueAt: number | null;
  /** Its runs under way are to be stopped. */
  stopping: 0 | 1;
  now: number;
}

const move = statement<Move>(`
  UPDATE fuzz_campaigns SET state = @to, state_reason = @reason, state_since = @now,
    due_at = @dueAt, stopping = @stopping, stuck_by = '',
    quiet_from_ms = CASE WHEN @to = 'active' THEN billed_ms ELSE quiet_from_ms END
  WHERE id = @id`);
const stop = statement<{ id: string }>('UPDATE fuzz_campaigns SET stopping = 1 WHERE id = @id');

const kinds: Readonly<Record<CampaignStateName, string>> = {
  active: 'resumed',
  paused: 'paused',
  ended: 'ended',
  archived: 'archived',
};

/** Moves a campaign, whose row is locked, to another state. */
export function* moved(input: Move): Steps<void> {
  const { id, to, reason, now } = input;
  yield* run(move, input);
  if (to === 'archived') yield* leaveArms(id);
  yield* recordHistory({ campaignId: id, time: now, kind: kinds[to], text: reason });
}

/**
 * Moves a campaign to another state; one that is there already stays as it is, but for runs
 * that are to be stopped and, of an active one, builds that are held, which are tried again.
 *
 * @param from the states that it may move from; from others it does not move
 * @throws NotFoundError, PreconditionError ARCHIVED
 */
export const moveCampaign = writeOperation(
  'move_campaign',
  'work',
  function* (input: Move & { from: readonly CampaignStateName[] }): Steps<LoadedCampaign> {
    const { id, to, stopping, from, ...rest } = input;
    const before = yield* lockCampaign(id);
    if (!before) throw new NotFoundError({ resource: 'campaign', id });
    if (before.state !== to) expectChangeable(before);
    if (from.includes(before.state)) yield* moved({ ...rest, id, to, stopping });
    else if (stopping === 1) yield* run(stop, { id });
    if (to === 'active') yield* releaseArms(id);
    return (yield* loaded(id)) as LoadedCampaign;
  },
);

const due = statement<{ now: number; limit: number }, { id: string }>(`
  SELECT id FROM fuzz_campaigns WHERE due_at IS NOT NULL AND due_at <= @now
  ORDER BY due_at, id LIMIT @limit`);
/** A window of time of a campaign has begun, or ended. */
export type WindowChange = 'opened' | 'closed';

const later = statement<{ id: string; dueAt: number | null; stopping: 0 | 1 }>(`
  UPDATE fuzz_campaigns SET due_at = @dueAt,
    stopping = CASE WHEN @stopping = 1 THEN 1 ELSE stopping END
  WHERE id = @id AND state = 'active'`);
const windowTexts: Readonly<Record<WindowChange, string>> = {
  opened: 'its window of time has begun',
  closed: 'its window of time is over; its runs are asked to end',
};

/** Ids of campaigns that time changes now. */
export const dueCampaigns = pageOperation(
  'due_campaigns',
  function* (input: { now: number; limit: number }): Steps<string[]> {
    return (yield* all(due, input)).map(({ id }) => id);
  },
);

/** Sets when time changes a campaign next. At the end of a window its runs are to be stopped. */
export const postponeCampaign = writeOperation(
  'postpone_campaign',
  'upkeep',
  function* (input: {
    id: string;
    dueAt: number | null;
    now: number;
    window: WindowChange | undefined;
  }): Steps<LoadedCampaign | undefined> {
    const { id, dueAt, now, window } = input;
    const before = yield* lockCampaign(id);
    if (before?.state === 'active') {
      yield* run(later, { id, dueAt, stopping: window === 'closed' ? 1 : 0 });
      if (window) {
        const text = windowTexts[window];
        yield* recordHistory({ campaignId: id, time: now, kind: `window_${window}`, text });
      }
    }
    return yield* loaded(id);
  },
);
