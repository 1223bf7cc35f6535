import type { MasterConfig } from '../../config/schema.js';
import { clipUtf8 } from '../../core/clip.js';
import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { codeOf, messageOf, NotFoundError, ShuttingDownError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { LightSignal } from '../../core/signal.js';
import type {
  NotificationDestination,
  TestNotificationResponse,
} from '../../gen/pandafuzz/v1/system_service.js';
import type { Metrics } from '../../metrics.js';
import { startWebhooks } from '../../store/ops/notifications/start-webhooks.js';
import type { WebhookRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { Violations } from '../messages/violations.js';
import { testDelivery } from './delivery.js';
import { Follower } from './follower.js';
import { Progress } from './progress.js';
import { type Destination, send } from './send.js';

/** Of an error's text, as much is sent to who tests. */
const mostProblemBytes = 500;

export interface NotificationsParts {
  readonly store: Pick<Store, 'run' | 'onWrite' | 'cluster'>;
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
 * Sends what happens to crash groups, campaigns and bots to the destinations that are configured.
 * Each has a loop and a cursor of its own, so one that hangs holds nobody else up.
 */
export class Notifications {
  readonly #stopped = new LightSignal();
  #wrote = Promise.withResolvers<void>();
  #followers: Follower[] = [];
  #running: Promise<void>[] = [];
  readonly #destinations: readonly Destination[];

  constructor(private readonly parts: NotificationsParts) {
    this.#destinations = [...parts.settings.webhooks, ...parts.settings.emails];
  }

  /** Adds the new ones of the configured webhooks, forgets the removed ones, and delivers. */
  async start(): Promise<void> {
    const { store, inBackground, log, metrics, clock } = this.parts;
    const names = this.#destinations.map(({ name }) => name);
    // Of a cluster one master has the destinations: the others leave their rows alone.
    if (store.cluster && names.length === 0) return;
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
    this.#followers = rows.map((row) => this.#followerOf(row));
    this.#running = this.#followers.map((follower) => follower.run());
    metrics.watchWebhooks(() =>
      this.#followers.map(({ pendingSince }, index) => {
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

  /** Destinations that do not take what they are sent: since when, and why the last try failed. */
  failing(): { name: string; since: number; why: string }[] {
    return this.#followers.flatMap(({ name, failing }) => (failing ? [{ name, ...failing }] : []));
  }

  /** The destinations as they are configured, with how far each has got. */
  list(): NotificationDestination[] {
    return this.#destinations.map(({ name, kind, events, projects }) => {
      const follower = this.#followers.find((one) => one.name === name);
      const { pendingSince, failing } = follower ?? {};
      return {
        ...{ name, kind, events: [...events], projects: [...projects] },
        pendingSince: pendingSince === undefined ? undefined : new Date(pendingSince),
        failingSince: failing ? new Date(failing.since) : undefined,
        lastError: failing?.why ?? '',
      };
    });
  }

  /**
   * Sends a test to a destination, once.
   *
   * @throws ValidationError, NotFoundError
   */
  async test(ctx: RequestContext, name: string): Promise<TestNotificationResponse> {
    new Violations().text(name, 'name', { min: 1, max: 256 }).throwIfAny();
    const { clock, settings, version, log } = this.parts;
    const destination = this.#destinations.find((one) => one.name === name);
    if (!destination) throw new NotFoundError({ resource: 'destination', id: name });
    const delivery = testDelivery(name, clock.now());
    const timeoutMs = Math.min(settings.timeout, ctx.deadline - clock.monotonic());
    const within = { clock, timeoutMs, signal: ctx.signal, version };
    const verdict = await send(destination, delivery, within).catch((error) => {
      ctx.signal.throwIfAborted();
      return { kind: 'again', why: messageOf(error) || (codeOf(error) ?? 'no answer') } as const;
    });
    const isDelivered = verdict.kind === 'delivered';
    const problem = verdict.kind === 'delivered' ? '' : clipUtf8(verdict.why, mostProblemBytes);
    log.info({ webhook: name, delivered: isDelivered, why: problem }, 'webhook tested');
    return { delivered: isDelivered, problem, willRetry: verdict.kind === 'again' };
  }

  #followerOf(row: WebhookRow): Follower {
    const { settings, metrics, random = Math.random, ...parts } = this.parts;
    const config = this.#destinations.find(({ name }) => name === row.name);
    if (!config) throw new Error(`no destination is configured as ${row.name}`);
    return new Follower({
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
