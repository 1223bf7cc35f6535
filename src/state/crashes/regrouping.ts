import type { Clock } from '../../core/clock.js';
import { type InBackground, orAbort } from '../../core/context.js';
import { AlreadyExistsError, ShuttingDownError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { LightSignal, type Signal } from '../../core/signal.js';
import type { RegroupCrashesResponse } from '../../gen/pandafuzz/v1/crash_service.js';
import { hasStaleCrashes, nextTarget } from '../../store/ops/crashes/regroup-reads.js';
import type { Store } from '../../store/store.js';
import type { FrameLists } from './frame-lists.js';
import type { ReportReader } from './reading/readers.js';
import { TargetRegrouping } from './target-regrouping.js';

export interface RegroupingParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly newId: () => string;
  readonly readers: ReportReader;
  readonly frameLists: FrameLists;
}

/** Moves that one run shows, in all its messages together. */
const mostShown = 1000;
/** How long a new crash waits for the catching up at the master's start, milliseconds. */
const longestWaitMs = 10_000;

/**
 * Reads crashes again and groups them anew, one target after the other: at the master's
 * start those that an older version of the reader has read, and all when somebody wants
 * it. The result depends on the crashes and on people's decisions alone, so a run that was
 * broken off is finished by the next one.
 */
export class Regrouping {
  #running: Promise<void> | undefined;
  #catchingUp: Promise<void> | undefined;
  readonly #stopped = new LightSignal();

  constructor(private readonly parts: RegroupingParts) {}

  /** Begins to catch up with the reader of this version, in the background. */
  start(): void {
    this.#catchingUp = this.#catchUp()
      .catch((error) => {
        if (!this.#stopped.aborted) this.parts.log.error({ err: error }, 'crash regrouping failed');
      })
      .finally(() => {
        this.#catchingUp = undefined;
      });
  }

  /** Ends between two steps of a run. */
  async stop(): Promise<void> {
    this.#stopped.abort(new ShuttingDownError());
    await Promise.allSettled([this.#catchingUp, this.#running]);
  }

  /**
   * Waits until crashes that are on disk are grouped by the reader of this version, so that
   * a known bug is not announced as a new one; for some seconds at most.
   */
  async caughtUp(signal: Signal): Promise<void> {
    if (!this.#catchingUp) return;
    const waited = Promise.withResolvers<void>();
    const timer = this.parts.clock.schedule(longestWaitMs, waited.resolve);
    try {
      await orAbort(signal, Promise.race([this.#catchingUp, waited.promise]));
    } finally {
      timer.cancel();
    }
  }

  /** Waits until no run is under way. */
  async idle(signal: Signal): Promise<void> {
    while (this.#running) await orAbort(signal, this.#running);
  }

  /**
   * Reads all crashes again and groups them anew; a dry run only shows what would move.
   *
   * @throws AlreadyExistsError while another run is under way
   */
  async *regroup(
    signal: Signal,
    { isDry }: { isDry: boolean },
  ): AsyncGenerator<RegroupCrashesResponse> {
    yield* this.#exclusively(() => this.#run(signal, { isDry, scope: 'all' }));
  }

  async #catchUp(): Promise<void> {
    const { store, inBackground, readers, log } = this.parts;
    const isStale = await inBackground(hasStaleCrashes.name, (ctx) =>
      store.run(ctx, hasStaleCrashes, readers.version),
    );
    if (!isStale) return;
    log.info({ version: readers.version }, 'crash regrouping started');
    let last: RegroupCrashesResponse | undefined;
    const run = () => this.#run(this.#stopped, { isDry: false, scope: 'stale' });
    for await (const progress of this.#exclusively(run)) last = progress;
    log.info({ read: last?.crashesRead, moved: last?.crashesMoved }, 'crash regrouping finished');
  }

  async *#exclusively<T>(run: () => AsyncGenerator<T>): AsyncGenerator<T> {
    if (this.#running) {
      const why = 'crashes are being grouped anew already: wait until that is done';
      throw new AlreadyExistsError({ resource: 'regrouping', id: '', why });
    }
    const ended = Promise.withResolvers<void>();
    this.#running = ended.promise;
    try {
      yield* run();
    } finally {
      this.#running = undefined;
      ended.resolve();
    }
  }

  async *#run(
    signal: Signal,
    how: { isDry: boolean; scope: 'all' | 'stale' },
  ): AsyncGenerator<RegroupCrashesResponse> {
    let [crashesRead, crashesMoved, groups, shown] = [0, 0, 0, 0];
    for await (const target of this.#targets(signal)) {
      const regrouping = new TargetRegrouping(this.parts, target, how);
      for await (const step of regrouping.run(signal, this.#stopped)) {
        crashesRead += step.read;
        crashesMoved += step.moves.length;
        groups += step.groups;
        const moves = step.moves.slice(0, mostShown - shown);
        shown += moves.length;
        yield { crashesRead, crashesMoved, groups: 0, moves };
      }
    }
    yield { crashesRead, crashesMoved, groups, moves: [] };
  }

  async *#targets(signal: Signal) {
    const { store, inBackground } = this.parts;
    let after = { project: '', targetName: '' };
    for (;;) {
      signal.throwIfAborted();
      const from = after;
      const next = await inBackground(nextTarget.name, (ctx) => store.run(ctx, nextTarget, from));
      if (!next) return;
      yield next;
      after = next;
    }
  }
}
