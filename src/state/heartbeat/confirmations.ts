import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Operation } from '../../store/operation.js';
import { acknowledgeDrain } from '../../store/ops/bots/acknowledge-drain.js';
import { acknowledgeStop } from '../../store/ops/jobs/acknowledge-stop.js';
import type { Store } from '../../store/store.js';
import type { LiveLease } from '../leases/leases.js';

interface ConfirmationParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly inBackground: InBackground;
}

/** Called with the error of a write, and the event to log it as. */
type OnFailure = (error: unknown, event: string) => void;

/** Stores the time of the first CancelAck of a run. */
export function confirmStop(
  { jobId, fence }: LiveLease,
  parts: ConfirmationParts,
  onFailure: OnFailure,
): void {
  const input = { jobId, fence, now: parts.clock.now() };
  record(acknowledgeStop, input, parts, (error) =>
    onFailure(error, 'cancel acknowledgement not stored'),
  );
}

/** Stores the time of the first DrainAck. */
export function confirmDrain(botId: string, parts: ConfirmationParts, onFailure: OnFailure): void {
  const input = { botId, now: parts.clock.now() };
  record(acknowledgeDrain, input, parts, (error) =>
    onFailure(error, 'drain acknowledgement not stored'),
  );
}

/** Runs a write without a caller. */
function record<Input>(
  operation: Operation<Input, void>,
  input: Input,
  { inBackground, store }: ConfirmationParts,
  onFailure: (error: unknown) => void,
): void {
  inBackground(operation.name, (ctx) => store.run(ctx, operation, input)).catch(onFailure);
}
