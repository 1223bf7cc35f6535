import { run, type Step, statement } from '../../statement.js';

/** SQLite's writer is alone, and needs no lock: there, the statement is left out. */
const lock = statement<{ jobId: string }>({
  sqlite: null,
  postgres: 'SELECT 1 FROM jobs WHERE id = @jobId FOR UPDATE',
});

/**
 * Locks a job's row until the commit: the first step of a write operation about a job that
 * does not begin with an UPDATE of it.
 */
export const lockJob = (jobId: string): Step<number> => run(lock, { jobId });
