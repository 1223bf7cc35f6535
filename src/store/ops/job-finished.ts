import { PreconditionError } from '../../core/errors.js';
import type { JobRow } from '../rows.js';

/** What is wanted comes too late: `verb` as in "there is nothing to cancel". */
export function finishedAlready(job: JobRow, verb: string): PreconditionError {
  const why = `the job is ${job.state} already: there is nothing to ${verb}`;
  return new PreconditionError({ reason: 'JOB_FINISHED', why });
}
