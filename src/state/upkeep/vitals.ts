import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { markAlive } from '../../store/ops/upkeep/mark-alive.js';
import type { Store } from '../../store/store.js';

export interface VitalsParts {
  readonly store: Pick<Store, 'run' | 'space'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly options: { leastFreeBytes: number; intervalMs: number };
}

/**
 * Whether the master can do its work, found out by doing it: every now and then
 * a write of its own goes through the writer thread to the disk and back, and
 * the room that is left there is looked at.
 */
export class Vitals {
  /** The writer thread commits. */
  writes = true;
  /** There is room on the disk for what bots bring. */
  room = true;
  #tell = () => {};
  readonly #task: PeriodicTask;

  constructor(private readonly parts: VitalsParts) {
    const work = () => this.look();
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.options.intervalMs,
      name: 'the look at the vitals',
      work,
    });
  }

  /** Takes the first look, then goes on looking. */
  async start(): Promise<void> {
    await this.look();
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** `tell` is called when `writes` or `room` has changed. */
  onChange(tell: () => void): void {
    this.#tell = tell;
  }

  async look(): Promise<void> {
    const [writes, room] = await Promise.all([this.#canWrite(), this.#hasRoom()]);
    if (writes === this.writes && room === this.room) return;
    this.writes = writes;
    this.room = room;
    this.parts.log.warn({ writes, room }, 'what the master can do has changed');
    this.#tell();
  }

  async #canWrite(): Promise<boolean> {
    try {
      const now = this.parts.clock.now();
      await this.parts.inBackground('mark_alive', (ctx) =>
        this.parts.store.run(ctx, markAlive, now),
      );
      return true;
    } catch (error) {
      this.parts.log.warn({ why: messageOf(error) }, 'nothing can be written');
      return false;
    }
  }

  async #hasRoom(): Promise<boolean> {
    const { diskFreeBytes } = await this.parts.store.space();
    return diskFreeBytes >= this.parts.options.leastFreeBytes;
  }
}
