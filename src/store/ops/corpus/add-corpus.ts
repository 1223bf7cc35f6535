import { NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';

/**
 * Adds inputs, whose bytes are on disk, to the corpus of the job's target. One that
 * is known there stays as it is.
 *
 * @returns how many were new
 * @throws StaleLeaseError, NotFoundError (job)
 */
export const addCorpus = writeOperation('add_corpus', 'result', (db) => {
  const holder = db.prepare<[object], { target_name: string }>(`
      SELECT target_name FROM leases JOIN jobs ON jobs.id = leases.job_id
      WHERE leases.job_id = @jobId AND leases.fence = @fence AND leases.attempt = @attempt`);
  const exists = db.prepare<[string]>('SELECT 1 FROM jobs WHERE id = ?');
  const insert = db.prepare<[object]>(`
      INSERT INTO corpus_entries (target_name, sha256, size_bytes, job_id, added_at)
      VALUES (@targetName, @sha256, @sizeBytes, @jobId, @now)
      ON CONFLICT (target_name, sha256) DO NOTHING`);

  return (input: {
    jobId: string;
    attempt: number;
    fence: number;
    entries: readonly { readonly sha256: string; readonly sizeBytes: number }[];
    now: number;
  }): number => {
    const { jobId, attempt, fence, entries, now } = input;
    const held = holder.get({ jobId, attempt, fence });
    if (!held) {
      if (!exists.get(jobId)) throw new NotFoundError({ resource: 'job', id: jobId });
      throw new StaleLeaseError({ jobId, attempt, fence });
    }
    let added = 0;
    for (const { sha256, sizeBytes } of entries) {
      const entry = { targetName: held.target_name, sha256, sizeBytes, jobId, now };
      added += insert.run(entry).changes;
    }
    return added;
  };
});
