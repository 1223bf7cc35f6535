import { writeOperation } from '../../operation.js';
import { stopRequested } from '../../sql.js';
import { eventRecorder } from '../events/record-event.js';

/** The bot is stopping a run that somebody wants stopped; the first time it says so is kept. */
export const acknowledgeStop = writeOperation('acknowledge_stop', 'result', (db) => {
  const acknowledge = db.prepare<[object]>(`
      UPDATE jobs SET cancel_acknowledged_at = @now
      WHERE id = @jobId AND fence = @fence AND state = 'running'
        AND cancel_acknowledged_at IS NULL AND ${stopRequested}`);
  const recordEvent = eventRecorder(db);
  return ({ jobId, fence, now }: { jobId: string; fence: number; now: number }): void => {
    if (acknowledge.run({ jobId, fence, now }).changes === 0) return;
    recordEvent(now, 'job.stop_acknowledged', jobId, { fence });
  };
});
