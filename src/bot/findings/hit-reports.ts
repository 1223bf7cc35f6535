import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { untilAnswered } from '../../client/until-answered.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Findings } from './findings.js';

/** Crashes whose hits one call carries: the contract's bound. */
const mostInCall = 1000;
/** Time between two reports, milliseconds. */
const intervalMs = 30_000;
const timeoutMs = 30_000;

export interface HitReportsParts {
  readonly connection: Connection;
  readonly lease: Lease;
  readonly findings: Pick<Findings, 'pendingHits'>;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

/**
 * Reports how often a run meets crashes whose inputs the master has already. Figures are
 * totals of the attempt, so a report that is repeated or overtaken changes nothing.
 */
export class HitReports {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();

  constructor(private readonly parts: HitReportsParts) {
    const { clock = systemClock, log } = parts;
    const work = () =>
      this.#send(this.#stopped.signal).catch((error) => {
        log.debug({ why: messageOf(error) }, 'crash hits not reported yet');
      });
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'a report of hits', work });
  }

  start(): void {
    this.#task.start();
  }

  /** Sends the last figures of the run, for as long as the master is away. */
  async end(signal: AbortSignal): Promise<void> {
    this.#stopped.abort(); // its figures go with the last ones
    await this.#task.stop();
    const { clock = systemClock, log } = this.parts;
    const options = { operation: 'report_crash_hits', clock };
    await untilAnswered(signal, () => this.#send(signal), options).catch((error) =>
      log.warn({ why: messageOf(error) }, 'crash hits not reported'),
    );
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { connection, lease, findings } = this.parts;
    const { crashes } = connection;
    const pending = findings.pendingHits();
    for (let at = 0; at < pending.length; at += mostInCall) {
      const slice = pending.slice(at, at + mostInCall);
      const hits = slice.map(({ crashId, hits }) => ({ crashId, hits }));
      await unary(crashes, crashes.reportCrashHits, { lease, hits }, { signal, timeoutMs });
      for (const { sent } of slice) sent();
    }
  }
}
