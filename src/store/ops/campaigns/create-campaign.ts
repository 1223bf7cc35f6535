import { AlreadyExistsError, QuotaError } from '../../../core/errors.js';
import type { LoadedCampaign } from '../../campaign-rows.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordHistory } from '../events/record-history.js';
import { loaded } from './load-campaign.js';
import { type NewArm, setArms } from './set-arms.js';
import { setTerms } from './set-campaign.js';

export interface CreateCampaign {
  id: string;
  requestId: string | null;
  project: string;
  name: string;
  key: string;
  targetName: string;
  /** CampaignSpec as protobuf JSON, with sorted keys, without weight and limit. */
  spec: string;
  weight: number;
  maxParallel: number;
  arms: readonly NewArm[];
  /** When time alone changes what it does. */
  dueAt: number | null;
  now: number;
  /** Campaigns that there may be; absent: as many as any master takes. */
  most?: number;
}

/** Campaigns that are not archived. */
const mostCampaigns = 10_000;

const byRequest = statement<{ requestId: string | null }, { id: string; spec: string }>(
  'SELECT id, spec FROM fuzz_campaigns WHERE request_id = @requestId',
);
const byName = statement<{ name: string; project: string }, { id: string }>(`
  SELECT id FROM fuzz_campaigns
  WHERE name = @name AND project = @project AND state <> 'archived'`);
const isFull = statement<{ most: number }, unknown>(`
  SELECT 1 FROM fuzz_campaigns WHERE state <> 'archived' AND id > ''
  ORDER BY id LIMIT 1 OFFSET @most - 1`);
const insert = statement<Omit<CreateCampaign, 'arms'>>(`
  INSERT INTO fuzz_campaigns (id, request_id, project, name, key, target_name, state,
    state_reason, state_since, created_at, revision, spec, due_at)
  VALUES (@id, @requestId, @project, @name, @key, @targetName, 'active', '', @now, @now, 1,
    @spec, @dueAt)`);

/**
 * Makes a campaign. A `requestId` seen before returns the campaign it made then.
 *
 * @throws NotFoundError for an artifact that was not uploaded
 * @throws AlreadyExistsError for a name, or a requestId of another spec; QuotaError
 */
export const createCampaign = writeOperation(
  'create_campaign',
  'work',
  function* (input: CreateCampaign): Steps<LoadedCampaign> {
    const { arms, most = mostCampaigns, ...row } = input;
    const { id, key, now, requestId } = row;
    const earlier = requestId === null ? undefined : yield* one(byRequest, { requestId });
    if (earlier) return yield* sameAs(earlier, row.spec);
    const namesake = yield* one(byName, row);
    if (namesake) {
      const why = `project ${row.project} has a campaign ${row.name}: change it, archive it, or use another name`;
      throw new AlreadyExistsError({ resource: 'campaign', id: namesake.id, why });
    }
    if (yield* one(isFull, { most })) {
      const why = `there are ${most} campaigns (limits.max_campaigns): archive some that are not needed any more`;
      throw new QuotaError({ subject: 'limits.max_campaigns', why });
    }
    yield* run(insert, row);
    yield* setTerms(row);
    yield* setArms({ campaignId: id, revision: 1, now }, arms);
    const builds = arms.map(({ build }) => build).join(', ');
    yield* recordHistory({ campaignId: id, time: now, kind: 'created', text: `${key}: ${builds}` });
    return (yield* loaded(id)) as LoadedCampaign;
  },
);

function* sameAs(earlier: { id: string; spec: string }, spec: string): Steps<LoadedCampaign> {
  const campaign = (yield* loaded(earlier.id)) as LoadedCampaign;
  if (campaign.campaign.revision > 1 || earlier.spec === spec) return campaign;
  const why = 'this request_id has already made a campaign of another spec: use a new one';
  throw new AlreadyExistsError({ resource: 'campaign', id: earlier.id, why });
}
