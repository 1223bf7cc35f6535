import { QuotaError } from '../../../core/errors.js';
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

const upsert = statement<Omit<SetCampaign, 'now'>>(`
  INSERT INTO campaigns (key, weight, max_parallel) VALUES (@key, @weight, @maxParallel)
  ON CONFLICT (key) DO UPDATE SET
    weight = excluded.weight, max_parallel = excluded.max_parallel`);
const select = statement<{ key: string }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns WHERE key = @key`,
);

const others = statement<{ key: string; most: number }, unknown>(`
  SELECT key FROM campaigns WHERE (weight <> 1 OR max_parallel <> 0) AND key >= '' AND key <> @key
  LIMIT 1 OFFSET @most - 1`);

/** Campaigns with terms of their own: the rows stay when there is no job any more. */
const mostWithTerms = 10_000;

/** Sets weight and limit of a key; adds the key if it is new. */
export const setTerms = ({ key, weight, maxParallel }: Omit<SetCampaign, 'now'>) =>
  run(upsert, { key, weight, maxParallel });

/**
 * Sets a campaign's weight and limit; adds the campaign if it is new.
 *
 * @throws QuotaError when as many as possible have a weight or a limit already
 */
export const setCampaign = writeOperation(
  'set_campaign',
  'work',
  function* (input: SetCampaign): Steps<CampaignRow> {
    const { key, weight, maxParallel, now } = input;
    const isPlain = weight === 1 && maxParallel === 0;
    if (!isPlain && (yield* one(others, { key, most: mostWithTerms }))) {
      throw new QuotaError({
        subject: 'campaigns',
        why: `${mostWithTerms} campaigns have a weight or a limit already: set weight 1 and max_parallel 0 for some that are not used any more`,
      });
    }
    yield* setTerms(input);
    yield* recordEvent(now, 'campaign.set', key, { weight, maxParallel });
    return (yield* one(select, { key })) as CampaignRow;
  },
);
