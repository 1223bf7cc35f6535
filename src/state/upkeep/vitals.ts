import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { markAlive } from '../../store/ops/upkeep/mark-alive.js';
import type { Store } from '../../store/store.js';

export interface VitalsParts {
  readonly store: Pick<Store, 'run' | 'room'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Called with the number of probe writes, after each. */
  readonly marked: (marks: number) => Promise<void>;
  readonly options: { leastFreeBytes: number; intervalMs: number };
}

/**
 * Health of the master: at each interval a probe write goes through the writer thread to
 * the disk, and the free disk space is read; the reserve for a full disk is
 * given up or made again (store/room.ts).
 */
export class Vitals {
  /** The writer thread commits. */
  writes = true;
  /** The disk has more free space than `leastFreeBytes`. */
  room = true;
  /** Bytes that are free, at the last look. */
  freeBytes = 0;
  #tell = () => {};
  readonly #task: PeriodicTask;

  constructor(private readonly parts: VitalsParts) {
    const work = () => this.look();
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.options.intervalMs,
      name: 'vitals check',
      work,
    });
  }

  /** Resolves after the first check, then repeats it. */
  async start(): Promise<void> {
    await this.look();
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** `tell` is called after each change of `writes` or `room`. */
  onChange(tell: () => void): void {
    this.#tell = tell;
  }

  async look(): Promise<void> {
    const room = await this.#hasRoom();
    const writes = await this.#canWrite();
    if (writes === this.writes && room === this.room) return;
    this.writes = writes;
    this.room = room;
    this.parts.log.warn({ writes, room }, 'vitals changed');
    this.#tell();
  }

  async #canWrite(): Promise<boolean> {
    try {
      const now = this.parts.clock.now();
      const marks = await this.parts.inBackground('mark_alive', (ctx) =>
        this.parts.store.run(ctx, markAlive, now),
      );
      await this.parts.marked(marks);
      return true;
    } catch (error) {
      this.parts.log.warn({ why: messageOf(error) }, 'probe write failed');
      return false;
    }
  }

  async #hasRoom(): Promise<boolean> {
    const { store, log, options } = this.parts;
    const done = await store.room.adjust();
    if (done) log.warn(`disk reserve ${done}`);
    this.freeBytes = await store.room.free();
    return this.freeBytes >= options.leastFreeBytes;
  }
}
