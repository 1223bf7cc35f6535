import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { keepWebhook } from '../../store/ops/notifications/keep-webhook.js';
import type { WebhookRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';

/**
 * How far one webhook has got: in memory always, on disk after `keep`. A write that fails
 * stops no delivery. It is made up for by the next one, and after a crash of the master the
 * receiver gets what lies between once more.
 */
export class Progress {
  #row: WebhookRow;
  #kept: WebhookRow;

  constructor(
    row: WebhookRow,
    private readonly parts: {
      readonly store: Pick<Store, 'run'>;
      readonly inBackground: InBackground;
      readonly log: Logger;
    },
  ) {
    this.#row = row;
    this.#kept = row;
  }

  get cursor(): number {
    return this.#row.cursor;
  }

  get failing(): { since: number; why: string } | undefined {
    const { failing_since: since, last_error: why } = this.#row;
    return since === null ? undefined : { since, why };
  }

  /** Everything up to `cursor` is done with. */
  passed(cursor: number): void {
    this.#row = { ...this.#row, cursor };
  }

  /** A receiver has answered for good. */
  answered(): void {
    this.#row = { ...this.#row, failing_since: null, last_error: '' };
  }

  /** A try failed; returns since when tries have been failing. */
  failed(why: string, now: number): number {
    const since = this.#row.failing_since ?? now;
    if (why !== this.#row.last_error) {
      this.#row = { ...this.#row, failing_since: since, last_error: why };
    }
    return since;
  }

  /** Brings to disk what changed. */
  async keep(): Promise<void> {
    const row = this.#row;
    if (row === this.#kept) return;
    const { store, inBackground, log } = this.parts;
    try {
      await inBackground(keepWebhook.name, (ctx) => store.run(ctx, keepWebhook, row));
      this.#kept = row;
    } catch (error) {
      log.warn(
        { destination: row.name, why: messageOf(error) },
        'notification progress not stored',
      );
    }
  }
}
