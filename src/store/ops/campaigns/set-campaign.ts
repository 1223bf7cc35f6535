import { writeOperation } from '../../operation.js';
import type { CampaignRow } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';

/** Sets a campaign's weight and limit; makes it known if it is not. */
export const setCampaign = writeOperation('set_campaign', 'work', (db) => {
  const upsert = db.prepare<[object]>(`
      INSERT INTO campaigns (key, weight, max_parallel) VALUES (@key, @weight, @maxParallel)
      ON CONFLICT (key) DO UPDATE SET
        weight = excluded.weight, max_parallel = excluded.max_parallel`);
  const select = db.prepare<[string], CampaignRow>(`
      SELECT key, weight, max_parallel,
        (SELECT coalesce(sum(pending), 0) FROM queues WHERE campaign = key) AS pending
      FROM campaigns WHERE key = ?`);
  const recordEvent = eventRecorder(db);
  return (input: {
    key: string;
    weight: number;
    maxParallel: number;
    now: number;
  }): CampaignRow => {
    const { key, weight, maxParallel, now } = input;
    upsert.run({ key, weight, maxParallel });
    recordEvent(now, 'campaign.set', key, { weight, maxParallel });
    return select.get(key) as CampaignRow;
  };
});
