import { NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { one, runEach, type Steps, statement } from '../../statement.js';
import { type PlacedBlob, placeBlobs } from '../blobs/place-blobs.js';
import { lockJob } from '../jobs/lock-job.js';

interface AddCorpus {
  jobId: string;
  attempt: number;
  fence: number;
  entries: readonly { readonly sha256: string; readonly sizeBytes: number }[];
  /** Where those of them are that were written into a pack just now; absent: none were. */
  placed?: readonly PlacedBlob[];
  now: number;
}

const holder = statement<
  { jobId: string; attempt: number; fence: number },
  { target_name: string }
>(`
  SELECT target_name FROM leases JOIN jobs ON jobs.id = leases.job_id
  WHERE leases.job_id = @jobId AND leases.fence = @fence AND leases.attempt = @attempt`);
const exists = statement<{ jobId: string }, unknown>('SELECT 1 FROM jobs WHERE id = @jobId');
const insert = statement<{
  targetName: string;
  sha256: string;
  sizeBytes: number;
  jobId: string;
  now: number;
}>(`
  INSERT INTO corpus_entries (target_name, sha256, size_bytes, job_id, added_at)
  VALUES (@targetName, @sha256, @sizeBytes, @jobId, @now)
  ON CONFLICT (target_name, sha256) DO NOTHING`);

/**
 * Adds inputs, whose bytes are on disk, to the corpus of the job's target. An input that
 * the corpus has already stays as it is.
 *
 * @returns how many were new
 * @throws StaleLeaseError, NotFoundError (job)
 */
export const addCorpus = writeOperation(
  'add_corpus',
  'result',
  function* (input: AddCorpus): Steps<number> {
    const { jobId, attempt, fence, entries, now } = input;
    yield* lockJob(jobId);
    const held = yield* one(holder, input);
    if (!held) {
      if (!(yield* one(exists, input))) throw new NotFoundError({ resource: 'job', id: jobId });
      throw new StaleLeaseError({ jobId, attempt, fence });
    }
    yield* placeBlobs(input.placed ?? []);
    const targetName = held.target_name;
    const rows = entries.map((entry) => ({ ...entry, targetName, jobId, now }));
    return yield* runEach(insert, rows);
  },
);
