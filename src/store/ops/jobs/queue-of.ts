import { type QueueRow, queueColumns } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';

/** What a queue's jobs have in common. */
export interface Requirements {
  campaign: string;
  /** What a bot must announce among its engines. */
  requiredEngine: string;
  /** JSON object with sorted keys. */
  labels: string;
  memoryMib: number;
  diskMib: number;
  /** Empty: any. */
  otherThanBotId: string;
}

const select = statement<Requirements, QueueRow>(`
  SELECT ${queueColumns} FROM queues
  WHERE campaign = @campaign AND engine = @requiredEngine AND labels = @labels
    AND memory_mib = @memoryMib AND disk_mib = @diskMib AND other_than_bot_id = @otherThanBotId`);
const insert = statement<Requirements>(`
  INSERT INTO queues (campaign, engine, labels, memory_mib, disk_mib, other_than_bot_id)
  VALUES (@campaign, @requiredEngine, @labels, @memoryMib, @diskMib, @otherThanBotId)
  ON CONFLICT DO NOTHING`);
const newCampaign = statement<{ campaign: string }>(`
  INSERT INTO campaigns (key, weight, max_parallel) VALUES (@campaign, 1, 0)
  ON CONFLICT DO NOTHING`);

/** The queue of a new job; made, and its campaign with it, for the first job of its kind. */
export function* queueOf(job: Requirements): Steps<QueueRow> {
  const known = yield* one(select, job);
  if (known) return known;
  yield* run(newCampaign, job);
  yield* run(insert, job);
  return (yield* one(select, job)) as QueueRow;
}
