import type { LoadedCampaign } from '../../campaign-rows.js';
import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordHistory } from '../events/record-history.js';
import { loaded, lockCampaign } from './load-campaign.js';

interface MarkStuck {
  id: string;
  /** The health word; '': it is not stuck any more. */
  by: string;
  /** For people. */
  reason: string;
  now: number;
}

const mark = statement<{ id: string; by: string }>(
  'UPDATE fuzz_campaigns SET stuck_by = @by WHERE id = @id',
);

/**
 * Notes in the history of an active campaign that it is stuck, or is no longer; once each.
 *
 * @returns the campaign; undefined: nothing was changed
 */
export const markStuck = writeOperation(
  'mark_stuck',
  'upkeep',
  function* ({ id, by, reason, now }: MarkStuck): Steps<LoadedCampaign | undefined> {
    const before = yield* lockCampaign(id);
    if (before?.state !== 'active' || before.stuck_by === by) return undefined;
    yield* run(mark, { id, by });
    const kind = by === '' ? 'unstuck' : 'stuck';
    const text = by === '' ? reason : `${by}: ${reason}`;
    yield* recordHistory({ campaignId: id, time: now, kind, text });
    return yield* loaded(id);
  },
);
