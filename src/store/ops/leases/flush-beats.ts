import { writeOperation } from '../../operation.js';
import { greatest } from '../../sql.js';
import { runEach, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface SeenBot {
  id: string;
  lastSeenAt: number;
}

interface Progress {
  jobId: string;
  fence: number;
  /** JobStatistics as protobuf JSON. */
  statistics: string;
  /** When the bot reported them. */
  at?: number | null;
}

const see = statement<SeenBot>(
  `UPDATE bots SET last_seen_at = ${greatest('last_seen_at', '@lastSeenAt')} WHERE id = @id`,
);
const progress = statement<Progress>(`
  UPDATE jobs SET statistics = @statistics, statistics_at = @at
  WHERE id = @jobId AND fence = @fence AND (state = 'running' OR state = 'assigned')`);

/** A run of whose notes one has a new subject. */
interface Noted {
  jobId: string;
  fence: number;
  now: number;
}

/** Writes the heartbeat data since the last flush: one UPDATE a bot, one a run. */
export const flushBeats = writeOperation(
  'flush_beats',
  'beats',
  function* (input: {
    bots: readonly SeenBot[];
    runs: readonly Progress[];
    noted?: readonly Noted[];
  }): Steps<void> {
    yield* runEach(see, input.bots);
    yield* runEach(
      progress,
      input.runs.map((run) => ({ ...run, at: run.at ?? null })),
    );
    for (const { now, jobId, fence } of input.noted ?? []) {
      yield* recordEvent(now, 'job.noted', jobId, { fence });
    }
  },
);
