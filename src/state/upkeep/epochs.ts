import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { openEpoch } from '../../store/ops/upkeep/open-epoch.js';
import type { Store } from '../../store/store.js';

export interface EpochsParts {
  readonly store: Pick<Store, 'run' | 'witness' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
}

/**
 * Notices a database that was put back (docs/decisions/0406-epochs.md). Before the first
 * claim of a process; each probe write then moves the file beside the database on.
 */
export class Epochs {
  #epoch = 0;

  constructor(private readonly parts: EpochsParts) {}

  async open(): Promise<void> {
    const { store, clock, log, inBackground } = this.parts;
    const seen = (await store.witness.read()) ?? null;
    const isShared = store.cluster !== undefined;
    const { epoch, marks, isRestored } = await inBackground('open_epoch', (ctx) =>
      store.run(ctx, openEpoch, { seen, isShared, now: clock.now() }),
    );
    this.#epoch = epoch;
    if (isRestored) log.warn({ epoch }, 'restored database: leases of later states are stale');
    await this.#write(marks, true);
  }

  /** A probe write is on disk. */
  async marked(marks: number): Promise<void> {
    await this.#write(marks, false);
  }

  /** On a full disk the file stays as it was: it then says less than it could, nothing wrong. */
  async #write(marks: number, isSynced: boolean): Promise<void> {
    try {
      await this.parts.store.witness.write({ epoch: this.#epoch, marks }, isSynced);
    } catch (error) {
      this.parts.log.warn({ why: messageOf(error) }, 'epoch file not written');
    }
  }
}
