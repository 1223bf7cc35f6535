import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { ShuttingDownError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { LightSignal } from '../../core/signal.js';
import type { Metrics } from '../../metrics.js';
import { startWebhooks } from '../../store/ops/notifications/start-webhooks.js';
import type { WebhookRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { Progress } from './progress.js';
import { Webhook } from './webhook.js';

export interface NotificationsParts {
  readonly store: Pick<Store, 'run' | 'onWrite'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly metrics: Pick<Metrics, 'webhookDeliveries' | 'watchWebhooks'>;
  readonly settings: MasterConfig['notifications'];
  readonly version: string;
  /** For the pauses between tries; absent: Math.random. */
  readonly random?: () => number;
}

/**
 * Sends what happens to groups of crashes to the webhooks that are configured. Each has a
 * loop and a cursor of its own, so one that hangs holds nobody else up.
 */
export class Notifications {
  readonly #stopped = new LightSignal();
  #wrote = Promise.withResolvers<void>();
  #webhooks: Webhook[] = [];
  #running: Promise<void>[] = [];

  constructor(private readonly parts: NotificationsParts) {}

  /** Adds the new ones of the configured webhooks, forgets the removed ones, and delivers. */
  async start(): Promise<void> {
    const { store, inBackground, log, metrics, clock, settings } = this.parts;
    const names = settings.webhooks.map(({ name }) => name);
    const { rows, added, removed } = await inBackground(startWebhooks.name, (ctx) =>
      store.run(ctx, startWebhooks, names),
    );
    for (const webhook of added) log.info({ webhook }, 'webhook added');
    for (const webhook of removed) log.info({ webhook }, 'webhook removed');
    if (names.length === 0) return;
    store.onWrite(() => {
      this.#wrote.resolve();
      this.#wrote = Promise.withResolvers();
    });
    this.#webhooks = rows.map((row) => this.#webhookOf(row));
    this.#running = this.#webhooks.map((webhook) => webhook.run());
    metrics.watchWebhooks(() =>
      this.#webhooks.map(({ pendingSince }, index) => {
        const ageMs = pendingSince === undefined ? 0 : clock.now() - pendingSince;
        return [rows[index]?.name ?? '', Math.max(ageMs, 0) / 1000];
      }),
    );
  }

  /** Ends what is under way; the next start begins with it. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new ShuttingDownError());
    await Promise.all(this.#running);
  }

  #webhookOf(row: WebhookRow): Webhook {
    const { settings, metrics, random = Math.random, ...parts } = this.parts;
    const config = settings.webhooks.find(({ name }) => name === row.name);
    if (!config) throw new Error(`no webhook is configured as ${row.name}`);
    return new Webhook({
      ...parts,
      config,
      random,
      stopped: this.#stopped,
      progress: new Progress(row, parts),
      timeoutMs: settings.timeout,
      giveUpAfterMs: settings.give_up_after,
      nextWrite: () => this.#wrote.promise,
      onOutcome: (outcome) => metrics.webhookDeliveries.inc({ webhook: row.name, outcome }),
    });
  }
}
