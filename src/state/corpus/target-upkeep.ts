import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { inRound } from '../../store/cluster.js';
import type { Operation } from '../../store/operation.js';
import type { CorpusOf } from '../../store/ops/corpus/corpus-of.js';
import type { Store } from '../../store/store.js';

/** Between two looks, milliseconds: nobody waits for it to the second. */
const intervalMs = 2000;
/** Jobs made in one look. */
const jobsAtOnce = 20;

export interface UpkeepService {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
}

/** What a target's job makes, when it is due, and what is left of it to delete. */
export interface TargetWork {
  /** What is looked after: names the task, and the round among the masters of a cluster. */
  readonly name: string;
  /** What a job makes, for the log. */
  readonly what: string;
  /** Whether what is due is made, unless a campaign of the target wants otherwise. */
  readonly isWanted: boolean;
  readonly due: Operation<
    { now: number; limit: number },
    readonly (CorpusOf & { policy: 'on' | 'off' | undefined })[]
  >;
  readonly postpone: Operation<CorpusOf & { dueAt: number }, void>;
  /** Until one is looked at again that could not be made, or need not be, milliseconds. */
  readonly againAfterMs: number;
  /** Name of `make`, for deadlines and the log. */
  readonly making: string;
  /** Queues the job; undefined: there is nothing new to make. @throws where it cannot be made */
  make(
    ctx: RequestContext,
    of: CorpusOf,
  ): Promise<{ readonly jobId: string; readonly underWay: boolean } | undefined>;
  readonly hasEnded: Operation<null, boolean>;
  readonly sweep: Operation<{ limit: number }, number>;
  /** Rows deleted in one write: a few milliseconds, so that other writes do not wait long. */
  readonly rowsAtOnce: number;
}

/** Makes the jobs of targets that are due, and deletes what has ended, slice by slice. */
export class TargetUpkeep {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();

  constructor(
    private readonly service: UpkeepService,
    private readonly work: TargetWork,
  ) {
    const { store, clock, log } = service;
    this.#task = new PeriodicTask({
      ...{ clock, log, intervalMs, name: `upkeep of ${work.name}` },
      work: () => inRound(store, work.name, () => this.look()),
    });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#task.stop();
  }

  async look(): Promise<void> {
    const page = { now: this.service.clock.now(), limit: jobsAtOnce };
    for (const { policy, ...of } of await this.#run(this.work.due, page)) {
      const isWanted = policy === undefined ? this.work.isWanted : policy === 'on';
      if (!isWanted || !(await this.#make(of))) await this.#postpone(of);
    }
    await this.#sweep();
  }

  /** @returns whether a new job makes it */
  async #make(of: CorpusOf): Promise<boolean> {
    const { inBackground, log } = this.service;
    const { what, making } = this.work;
    try {
      const made = await inBackground(making, (ctx) => this.work.make(ctx, of));
      if (!made || made.underWay) return false;
      log.info({ ...of, jobId: made.jobId }, `${what} queued`);
      return true;
    } catch (error) {
      log.debug({ ...of, why: messageOf(error) }, `${what} postponed`);
      return false;
    }
  }

  async #postpone(of: CorpusOf): Promise<void> {
    const dueAt = this.service.clock.now() + this.work.againAfterMs;
    await this.#run(this.work.postpone, { ...of, dueAt });
  }

  async #sweep(): Promise<void> {
    const { hasEnded, sweep, rowsAtOnce } = this.work;
    const isMore = await this.#run(hasEnded, null);
    while (isMore && !this.#stopped.signal.aborted) {
      if ((await this.#run(sweep, { limit: rowsAtOnce })) === 0) return;
    }
  }

  #run<I, O>(operation: Operation<I, O>, input: I): Promise<O> {
    const { store, inBackground } = this.service;
    return inBackground(operation.name, (ctx) => store.run(ctx, operation, input));
  }
}
