import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import type { FuzzCampaignRow, LoadedCampaign } from '../../campaign-rows.js';
import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordHistory } from '../events/record-history.js';
import { loaded, lockCampaign } from './load-campaign.js';
import { type NewArm, releaseArms, setArms } from './set-arms.js';
import { setTerms } from './set-campaign.js';

export interface UpdateCampaign {
  id: string;
  /** The one that the change was made from; 0: whatever it is. */
  revision: number;
  spec: string;
  weight: number;
  maxParallel: number;
  arms: readonly NewArm[];
  dueAt: number | null;
  /** What else changed, in words for people. */
  changes: readonly string[];
  /** Whether its end has come by the new spec. */
  isOver: boolean;
  now: number;
}

type Update = Pick<UpdateCampaign, 'id' | 'spec' | 'dueAt' | 'now'> & { wakes: 0 | 1 };

const update = statement<Update>(`
  UPDATE fuzz_campaigns SET spec = @spec, revision = revision + 1,
    state = CASE WHEN @wakes = 1 THEN 'active' ELSE state END,
    state_reason = CASE WHEN @wakes = 1 THEN '' ELSE state_reason END,
    state_since = CASE WHEN @wakes = 1 THEN CAST(@now AS BIGINT) ELSE state_since END,
    quiet_from_ms = CASE WHEN @wakes = 1 THEN billed_ms ELSE quiet_from_ms END,
    due_at = CASE WHEN state = 'active' OR @wakes = 1 THEN CAST(@dueAt AS BIGINT) END
  WHERE id = @id`);

/**
 * Changes what a campaign runs. Builds that are held are tried again. One that had ended goes on, unless it is over by the new
 * spec.
 *
 * @throws NotFoundError, PreconditionError ARCHIVED, CHANGED
 */
export const updateCampaign = writeOperation(
  'update_campaign',
  'work',
  function* (input: UpdateCampaign): Steps<LoadedCampaign> {
    const { id, arms, now, changes, isOver, dueAt, spec } = input;
    const before = yield* lockCampaign(id);
    if (!before) throw new NotFoundError({ resource: 'campaign', id });
    expectChangeable(before);
    if (input.revision !== 0 && input.revision !== before.revision) {
      const why = `it is at revision ${before.revision} by now, and the change was made from ${input.revision}: read it again`;
      throw new PreconditionError({ reason: 'CHANGED', why });
    }
    const wakes = before.state === 'ended' && !isOver ? 1 : 0;
    yield* run(update, { id, spec, dueAt, now, wakes });
    yield* setTerms({ ...input, key: before.key });
    const builds = yield* setArms({ campaignId: id, revision: before.revision + 1, now }, arms);
    yield* releaseArms(id);
    const text = [...builds, ...changes].join('; ') || 'nothing changed';
    yield* recordHistory({ campaignId: id, time: now, kind: 'updated', text });
    if (wakes === 1) {
      const why = 'by the update';
      yield* recordHistory({ campaignId: id, time: now, kind: 'resumed', text: why });
    }
    return (yield* loaded(id)) as LoadedCampaign;
  },
);

/** @throws PreconditionError ARCHIVED */
export function expectChangeable({ state, name }: FuzzCampaignRow): void {
  if (state !== 'archived') return;
  const why = `campaign ${name} is archived: make a new one, its name is free`;
  throw new PreconditionError({ reason: 'ARCHIVED', why });
}
