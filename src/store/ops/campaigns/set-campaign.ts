import { writeOperation } from '../../operation.js';
import { type CampaignRow, campaignColumns } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface SetCampaign {
  key: string;
  weight: number;
  maxParallel: number;
  now: number;
}

const upsert = statement<SetCampaign>(`
  INSERT INTO campaigns (key, weight, max_parallel) VALUES (@key, @weight, @maxParallel)
  ON CONFLICT (key) DO UPDATE SET
    weight = excluded.weight, max_parallel = excluded.max_parallel`);
const select = statement<{ key: string }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns WHERE key = @key`,
);

/** Sets a campaign's weight and limit; adds the campaign if it is new. */
export const setCampaign = writeOperation(
  'set_campaign',
  'work',
  function* (input: SetCampaign): Steps<CampaignRow> {
    const { key, weight, maxParallel, now } = input;
    yield* run(upsert, input);
    yield* recordEvent(now, 'campaign.set', key, { weight, maxParallel });
    return (yield* one(select, { key })) as CampaignRow;
  },
);
