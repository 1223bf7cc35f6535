import { writeOperation } from '../../operation.js';
import { runEach, type Steps, statement } from '../../statement.js';

export interface Sample {
  readonly jobId: string;
  readonly fence: number;
  readonly executions: number;
  readonly executionsPerSecond: number;
  readonly coverage: number;
  readonly corpusFiles: number;
  readonly crashes: number;
}

const insert = statement<Sample & { now: number }>(`
  INSERT INTO samples (job_id, time, fence, executions, executions_per_second, coverage,
    corpus_files, crashes)
  SELECT @jobId, @now, @fence, @executions, @executionsPerSecond, @coverage, @corpusFiles, @crashes
  FROM jobs WHERE id = @jobId
  ON CONFLICT DO NOTHING`);

/** Records figures of runs at one moment. A job that is gone meanwhile is passed over. */
export const addSamples = writeOperation(
  'add_samples',
  'upkeep',
  function* ({ samples, now }: { samples: readonly Sample[]; now: number }): Steps<void> {
    const rows = samples.map((sample) => ({ ...sample, now }));
    yield* runEach(insert, rows);
  },
);
