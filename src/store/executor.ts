import type { AuditNote } from '../core/audit.js';
import type { Clock } from '../core/clock.js';
import type { RequestContext } from '../core/context.js';
import { TimeoutError } from '../core/errors.js';
import { executeWithRetry, type RetryPolicy } from '../core/retry.js';
import type { Metrics } from '../metrics.js';
import type { Settled } from './call.js';
import type { Lane, LaneThread } from './lane.js';
import type { Operation } from './operation.js';

/** Of a lane, the part that runs calls. */
type Runner = Pick<Lane<LaneThread>, 'run' | 'runEach'>;

interface ExecutorOptions {
  readonly reads: Runner;
  readonly writes: Runner;
  readonly retry: RetryPolicy;
  /** Whether an error says that nothing was done, and that it passes. */
  readonly isRetryable: (error: unknown) => boolean;
  readonly metrics: Metrics;
  /** Of the pauses between tries; absent: the system's. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

const noTimer = () => 0;

/** Gives the first write of a change the note of it. One that fails gives it back. */
async function withAudit<T>(
  { change }: RequestContext,
  { access }: Operation<never, unknown>,
  work: (audit: AuditNote | undefined) => Promise<T>,
): Promise<T> {
  const audit = access === 'write' ? change?.take() : undefined;
  if (!audit) return work(undefined);
  let isWritten = false;
  try {
    const output = await work(audit);
    isWritten = true;
    return output;
  } finally {
    change?.settle(isWritten);
  }
}

/** Runs operations on an engine's lanes, with retries, and measures them. */
export class Executor {
  constructor(private readonly options: ExecutorOptions) {}

  /** As `Store.run`. */
  async run<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    input: Input,
  ): Promise<Output> {
    const lane = this.#laneOf(operation);
    const output = await withAudit(ctx, operation, (audit) => {
      const call = { operation: operation.name, input, ...(audit && { audit }) };
      return this.#underRetry(ctx, operation.name, () => lane.run(ctx, call, operation));
    });
    return output as Output;
  }

  /** As `Store.runEach`. */
  async runEach<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    inputs: readonly Input[],
  ): Promise<Settled<Output>[]> {
    const { isRetryable } = this.options;
    const calls = inputs.map((input) => ({ operation: operation.name, input }));
    const lane = this.#laneOf(operation);
    const outcomes = await this.#underRetry(ctx, operation.name, async () => {
      const settled = await lane.runEach(ctx, calls, operation);
      const [first] = settled;
      // Where one of them was done, it must not be done again.
      const isLocked = settled.every((one) => !one.ok && isRetryable(one.error));
      if (isLocked && first && !first.ok) throw first.error;
      return settled;
    });
    return outcomes as Settled<Output>[];
  }

  #laneOf({ access }: { access: 'read' | 'write' }): Runner {
    return access === 'write' ? this.options.writes : this.options.reads;
  }

  async #underRetry<T>(ctx: RequestContext, operation: string, attempt: () => Promise<T>) {
    const { metrics, retry, isRetryable, clock, random } = this.options;
    const startedAt = performance.now();
    const ended = (outcome: 'ok' | 'timeout' | 'error') => {
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.databaseOperationSeconds.observe(operation, outcome, seconds);
    };
    let lockWait = noTimer;
    try {
      const output = await executeWithRetry(ctx, retry, attempt, {
        operation,
        isRetryable,
        ...(clock && { clock }),
        ...(random && { random }),
        onRetry: () => {
          metrics.databaseRetries.inc();
          if (lockWait === noTimer) lockWait = metrics.databaseLockWaitSeconds.startTimer();
        },
      });
      ended('ok');
      return output;
    } catch (error) {
      if (error instanceof TimeoutError) metrics.databaseTimeouts.inc();
      ended(error instanceof TimeoutError ? 'timeout' : 'error');
      throw error;
    } finally {
      lockWait();
    }
  }
}
