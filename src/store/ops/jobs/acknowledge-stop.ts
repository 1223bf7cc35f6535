import { writeOperation } from '../../operation.js';
import { stopRequested } from '../../sql.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface AcknowledgeStop {
  jobId: string;
  fence: number;
  now: number;
}

const acknowledge = statement<AcknowledgeStop>(`
  UPDATE jobs SET cancel_acknowledged_at = @now
  WHERE id = @jobId AND fence = @fence AND state = 'running'
    AND cancel_acknowledged_at IS NULL AND ${stopRequested}`);

/** Records when the bot first confirmed that it is stopping a run. */
export const acknowledgeStop = writeOperation(
  'acknowledge_stop',
  'result',
  function* (input: AcknowledgeStop): Steps<void> {
    if ((yield* run(acknowledge, input)) === 0) return;
    const { jobId, fence, now } = input;
    yield* recordEvent(now, 'job.stop_acknowledged', jobId, { fence });
  },
);
