import { statfs } from 'node:fs/promises';
import { freemem, loadavg } from 'node:os';
import type { BotResources } from '../../gen/pandafuzz/v1/heartbeat.js';

/** With less than this left where the bot works it takes no new job, bytes. */
const leastDiskBytes = 256 * 2 ** 20;

/** What the bot's machine has left. */
export class Machine {
  #diskFreeBytes = 0;

  private constructor(private readonly folder: string) {}

  static async observe(folder: string): Promise<Machine> {
    const machine = new Machine(folder);
    await machine.#look();
    return machine;
  }

  /** Current figures; that of the disk is from the call before. */
  get resources(): BotResources {
    void this.#look();
    return {
      loadAverage: loadavg()[0] ?? 0,
      memoryFreeBytes: freemem(),
      diskFreeBytes: this.#diskFreeBytes,
    };
  }

  /** Why there is no room for a job; '' where there is. */
  get roomProblem(): string {
    if (this.#diskFreeBytes >= leastDiskBytes) return '';
    const free = Math.floor(this.#diskFreeBytes / 2 ** 20);
    return `${free} MiB are free in ${this.folder}, and ${leastDiskBytes / 2 ** 20} are needed: free some room`;
  }

  async #look(): Promise<void> {
    const disk = await statfs(this.folder).catch(() => undefined);
    if (disk) this.#diskFreeBytes = disk.bavail * disk.bsize;
  }
}
