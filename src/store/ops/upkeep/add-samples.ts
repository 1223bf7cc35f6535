import { writeOperation } from '../../operation.js';

export interface Sample {
  readonly jobId: string;
  readonly fence: number;
  readonly executions: number;
  readonly executionsPerSecond: number;
  readonly coverage: number;
  readonly corpusFiles: number;
  readonly crashes: number;
}

/** How the runs of this moment go. A job that is gone meanwhile is passed over. */
export const addSamples = writeOperation('add_samples', 'upkeep', (db) => {
  const insert = db.prepare<[object]>(`
    INSERT INTO samples (job_id, time, fence, executions, executions_per_second, coverage,
      corpus_files, crashes)
    SELECT @jobId, @now, @fence, @executions, @executionsPerSecond, @coverage, @corpusFiles, @crashes
    FROM jobs WHERE id = @jobId
    ON CONFLICT DO NOTHING`);
  return (input: { samples: readonly Sample[]; now: number }): void => {
    for (const sample of input.samples) insert.run({ ...sample, now: input.now });
  };
});
