import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { markBack, markLost, seenBots } from '../../store/ops/bots/mark-lost.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from './sessions.js';

/** Between two looks at who is missed, milliseconds. */
const lookEveryMs = 10_000;
/** Bots of one write, and of one event: a network that breaks loses many at once. */
const atOnce = 500;
const pageSize = 1000;
/** Bots that nobody has seen for longer are not missed when a master starts. */
const rememberedMs = 7 * 86_400_000;

export interface PresenceParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly sessions: Sessions;
  /** A bot without a stream for this long is lost. */
  readonly lostAfterMs: number;
}

/**
 * Notices bots that are lost, and that come back:
 *
 *   here ── its stream ends ──> away ── for `lostAfterMs` ──> lost (on disk, an event)
 *     ▲                          │                              │
 *     └──────── a new stream ────┴──── a new stream: an event ──┘
 *
 * Bots that are drained or deleted are not missed. After a restart every bot has the whole time
 * to come back. Bots that use AssignJob alone have no streams, and are not watched.
 */
export class Presence {
  readonly #task: PeriodicTask;
  /** Bots without a stream: since when, monotonic ms, the longest first. */
  readonly #away = new Map<string, number>();
  /** Bots that are lost on disk: since when, ms since 1970. */
  readonly #lost = new Map<string, number>();
  /** Of these, those that have a stream again. */
  readonly #back = new Set<string>();

  constructor(private readonly parts: PresenceParts) {
    const { clock, log, lostAfterMs } = parts;
    const intervalMs = Math.min(lookEveryMs, lostAfterMs);
    const work = () => this.look();
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'look at bots', work });
    parts.sessions.onChange((botId, isHere) => (isHere ? this.#came(botId) : this.#left(botId)));
  }

  /** Loads who was there, and who was lost: at the start, and when a master of the cluster is gone. */
  async restore(): Promise<void> {
    const { store, inBackground, clock } = this.parts;
    const since = clock.now() - rememberedMs;
    for (let after = { lastSeenAt: 0, id: '' }; ; ) {
      const page = { since, after, limit: pageSize };
      const rows = await inBackground(seenBots.name, (ctx) => store.run(ctx, seenBots, page));
      for (const { id, lost_at } of rows) {
        if (lost_at !== null) this.#lost.set(id, lost_at);
        else if (!this.parts.sessions.of(id)) this.#left(id);
      }
      const last = rows.at(-1);
      if (!last || rows.length < pageSize) return;
      after = { lastSeenAt: last.last_seen_at, id: last.id };
    }
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** Bots that were lost since then and are not back, ms since 1970. */
  lostSince(since: number): { ids: string[]; first: number } {
    const lost = [...this.#lost].filter(([id, at]) => at >= since && !this.#back.has(id));
    return { ids: lost.map(([id]) => id), first: Math.min(...lost.map(([, at]) => at)) };
  }

  /** A bot is lost, as far as this master knows. */
  isLost(botId: string): boolean {
    return this.#lost.has(botId);
  }

  /** Another master of the cluster has its stream. */
  isElsewhere(botId: string): void {
    this.#lost.delete(botId);
    this.#away.delete(botId);
  }

  /** Records who was lost, and who is back, since the last look. */
  async look(): Promise<void> {
    const { clock, lostAfterMs } = this.parts;
    const before = clock.monotonic() - lostAfterMs;
    const missed = [...this.#away].filter(([, since]) => since <= before).map(([id]) => id);
    for (const ids of slices(missed)) await this.#lose(ids);
    for (const ids of slices([...this.#back])) await this.#regain(ids);
  }

  async #lose(ids: string[]): Promise<void> {
    const { store, inBackground, clock, log, sessions } = this.parts;
    const change = { ids, now: clock.now() };
    const lost = await inBackground(markLost.name, (ctx) => store.run(ctx, markLost, change));
    for (const id of ids) {
      if (lost.includes(id)) this.#lost.set(id, change.now);
      if (!sessions.of(id)) this.#away.delete(id);
      // It came while that was written.
      else if (lost.includes(id)) this.#back.add(id);
    }
    if (lost.length > 0) log.warn({ count: lost.length, bots: lost.slice(0, 20) }, 'bots lost');
  }

  async #regain(ids: string[]): Promise<void> {
    const { store, inBackground, clock, log, sessions } = this.parts;
    const change = { ids, now: clock.now() };
    const back = await inBackground(markBack.name, (ctx) => store.run(ctx, markBack, change));
    for (const id of ids) {
      this.#back.delete(id);
      this.#lost.delete(id);
      if (!sessions.of(id)) this.#left(id);
    }
    if (back.length > 0) log.info({ count: back.length, bots: back.slice(0, 20) }, 'bots back');
  }

  #came(botId: string): void {
    this.#away.delete(botId);
    if (this.#lost.has(botId)) this.#back.add(botId);
  }

  #left(botId: string): void {
    this.#back.delete(botId);
    if (this.#lost.has(botId)) return;
    this.#away.delete(botId); // to the end
    this.#away.set(botId, this.parts.clock.monotonic());
  }
}

function slices(ids: readonly string[]): string[][] {
  const count = Math.ceil(ids.length / atOnce);
  return Array.from({ length: count }, (_, index) =>
    ids.slice(index * atOnce, (index + 1) * atOnce),
  );
}
