import { type Clock, sleep } from '../../core/clock.js';
import { orAbort, type RequestContext } from '../../core/context.js';
import { Turns } from '../../core/turns.js';
import type { WatchJobsRequest, WatchJobsResponse } from '../../gen/pandafuzz/v1/job_service.js';
import { listEvents } from '../../store/ops/events/list-events.js';
import type { JobRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { jobRecord } from '../messages/records.js';
import { Violations } from '../messages/violations.js';

/** Events in one read. */
const sliceSize = 200;
/** Reads at once: all watches read after each write, and others' reads have to find room. */
const readsAtOnce = 32;
/** Events written within this time are sent together. */
const gatherMs = 20;

/**
 * Changes of jobs from any cursor on, in order and without gaps. They are read from the
 * events table, to which each change is written in its own transaction.
 */
export class Watch {
  #wrote = Promise.withResolvers<void>();
  readonly #turns = new Turns(readsAtOnce);

  constructor(
    private readonly store: Pick<Store, 'run' | 'onWrite'>,
    private readonly leases: Leases,
    private readonly clock: Clock,
  ) {
    store.onWrite(() => {
      this.#wrote.resolve();
      this.#wrote = Promise.withResolvers();
    });
  }

  /** @throws ValidationError, OutOfRangeError */
  async *changes(
    ctx: RequestContext,
    request: WatchJobsRequest,
  ): AsyncGenerator<WatchJobsResponse> {
    const found = new Violations();
    if (request.jobId !== '') found.id(request.jobId, 'job_id');
    found.throwIfAny();
    const jobId = request.jobId || undefined;
    const { projects } = ctx.principal;
    let cursor = request.cursor === 0 ? null : request.cursor;
    for (;;) {
      const next = this.#wrote.promise; // taken before the read, so that no write is missed
      const wanted = { cursor, jobId, projects, limit: sliceSize };
      const slice = await this.#turns.run(ctx.signal, () =>
        this.store.run(ctx, listEvents, wanted),
      );
      for (const { event, job } of slice.events) yield this.#changeOf(event, job);
      if (cursor === null)
        yield { cursor: slice.cursor, kind: '', time: undefined, job: undefined };
      cursor = slice.cursor;
      if (!slice.isLast) continue;
      await orAbort(ctx.signal, next);
      await sleep(this.clock, gatherMs, ctx.signal);
    }
  }

  #changeOf(
    event: { sequence: number; time: number; kind: string; subject: string },
    row: JobRow | undefined,
  ): WatchJobsResponse {
    const job = row && jobRecord(row, this.leases.statisticsOf(row.id, row.fence));
    return { cursor: event.sequence, kind: event.kind, time: new Date(event.time), job };
  }
}
