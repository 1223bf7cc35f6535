import { pageOperation, writeOperation } from '../../operation.js';
import { all, one, run, type Steps, statement } from '../../statement.js';

/** Runs of a campaign that are to be stopped. */
export interface RunsToStop {
  campaignId: string;
  jobIds: string[];
  /** Where to go on; null: these are the last. */
  nextJobId: string | null;
}

const first = statement<object, { id: string }>(`
  SELECT id FROM fuzz_campaigns WHERE stopping = 1 AND id > '' ORDER BY id LIMIT 1`);
const again = statement<{ id: string }, { id: string }>(
  'SELECT id FROM fuzz_campaigns WHERE id = @id AND stopping = 1',
);
const open = statement<
  { campaignId: string; afterJobId: string; limit: number },
  { job_id: string; finished_at: number | null; cancel_requested_at: number | null }
>(`
  SELECT job_id, finished_at, cancel_requested_at
  FROM campaign_runs JOIN jobs ON jobs.id = job_id
  WHERE campaign_runs.campaign_id = @campaignId AND settled = 0 AND job_id > @afterJobId
  ORDER BY job_id LIMIT @limit`);
const done = statement<{ campaignId: string }>(
  'UPDATE fuzz_campaigns SET stopping = 0 WHERE id = @campaignId',
);

interface RunsPage {
  /** The campaign that was looked at last; another is next once it is done. */
  campaignId: string;
  afterJobId: string;
  limit: number;
}

/** Runs to stop of the next campaign that wants that; undefined: none does. */
export const runsToStop = pageOperation('runs_to_stop', function* (input: RunsPage): Steps<
  RunsToStop | undefined
> {
  const same = yield* one(again, { id: input.campaignId });
  const campaign = same ?? (yield* one(first, {}));
  if (!campaign) return undefined;
  const campaignId = campaign.id;
  const afterJobId = same ? input.afterJobId : '';
  const rows = yield* all(open, { campaignId, afterJobId, limit: input.limit });
  const jobIds = rows
    .filter((job) => job.finished_at === null && job.cancel_requested_at === null)
    .map(({ job_id }) => job_id);
  const last = rows.length === input.limit ? rows.at(-1)?.job_id : undefined;
  return { campaignId, jobIds, nextJobId: last ?? null };
});

/** Every run of a campaign that was to be stopped is asked to. */
export const runsStopped = writeOperation(
  'runs_stopped',
  'upkeep',
  function* (input: { campaignId: string }): Steps<void> {
    yield* run(done, input);
  },
);
