import { statfs } from 'node:fs/promises';
import { freemem, loadavg } from 'node:os';
import type { Logger } from '../../core/log.js';
import type { BotResources } from '../../gen/pandafuzz/v1/heartbeat.js';

const mib = 2 ** 20;
/** With less than this left where the bot works it takes no new job, bytes. */
const leastForJobsBytes = 256 * mib;
/** With less than this left nothing is started, bytes. */
const leastForStartsBytes = 64 * mib;
/** Of a small disk this part is enough. */
const leastShare = 1 / 20;

/** Whether the disk of a folder has too little room for a program to be started. */
export async function isDiskFull(folder: string): Promise<boolean> {
  const { freeBytes, sizeBytes } = await diskOf(folder);
  return freeBytes < Math.min(leastForStartsBytes, sizeBytes * leastShare);
}

async function diskOf(folder: string): Promise<{ freeBytes: number; sizeBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

export interface MachineParts {
  /** Where the bot works. */
  readonly folder: string;
  /** Called when the disk is full, once until it has room again: removes what can be had again. */
  readonly makeRoom: () => Promise<void>;
  readonly log: Logger;
}

/**
 * What the bot's machine has left. A full disk takes jobs away from the bot for as long as it
 * is full, and no longer: the bot removes what it can bring again, and looks with each beat.
 */
export class Machine {
  #disk = { freeBytes: 0, sizeBytes: 0 };
  #isFull = false;

  private constructor(private readonly parts: MachineParts) {}

  static async observe(parts: MachineParts): Promise<Machine> {
    const machine = new Machine(parts);
    await machine.#look();
    return machine;
  }

  /** Current figures; that of the disk is from the call before. */
  get resources(): BotResources {
    void this.#look();
    return {
      loadAverage: loadavg()[0] ?? 0,
      memoryFreeBytes: freemem(),
      diskFreeBytes: this.#disk.freeBytes,
    };
  }

  get hasRoom(): boolean {
    return this.#disk.freeBytes >= this.#leastBytes;
  }

  /** What keeps it from taking jobs, for people; undefined: nothing. */
  get trouble(): string | undefined {
    if (this.hasRoom) return undefined;
    const [free, least] = [this.#disk.freeBytes, this.#leastBytes].map((bytes) =>
      Math.floor(bytes / mib),
    );
    return `the bot's disk is full: ${free} MiB are free, ${least} MiB are needed for a job`;
  }

  get #leastBytes(): number {
    return Math.min(leastForJobsBytes, this.#disk.sizeBytes * leastShare);
  }

  async #look(): Promise<void> {
    const { folder, makeRoom, log } = this.parts;
    this.#disk = await diskOf(folder).catch(() => this.#disk);
    if (this.hasRoom === !this.#isFull) return;
    this.#isFull = !this.hasRoom;
    if (!this.#isFull) {
      log.info({ folder, freeBytes: this.#disk.freeBytes }, 'disk has room again');
      return;
    }
    log.warn({ folder, why: this.trouble }, 'disk full');
    await makeRoom().catch((error) => log.error({ err: error }, 'no room could be made'));
    this.#disk = await diskOf(folder).catch(() => this.#disk);
  }
}
