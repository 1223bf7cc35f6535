import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock, type Timer } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { Findings, KeptTotal } from './findings.js';

const fileName = 'hits.json';
/** From the end of one write to the next, as a multiple of its own time: it grows with the inputs kept. */
const pauseFactor = 20;

/**
 * How often a run has met its crashes, on disk at once: the master has the figures of half a
 * minute ago, and the bot may be killed.
 */
export class HitsOnDisk {
  #isDirty = false;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(
    private readonly parts: {
      readonly folder: string;
      readonly findings: Pick<Findings, 'totals'>;
      readonly log: Logger;
      readonly clock?: Clock | undefined;
    },
  ) {}

  /** There are new hits. */
  changed(): void {
    this.#isDirty = true;
    this.#next();
  }

  /** Writes what is not written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#writing;
    if (this.#isDirty) await this.#write();
  }

  #next(): void {
    if (this.#isClosed || this.#writing || this.#timer || !this.#isDirty) return;
    const { clock = systemClock } = this.parts;
    const beganAtMs = clock.monotonic();
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#isClosed) return;
      const pauseMs = pauseFactor * (clock.monotonic() - beganAtMs);
      this.#timer = clock.schedule(pauseMs, () => {
        this.#timer = undefined;
        this.#next();
      });
    });
  }

  async #write(): Promise<void> {
    this.#isDirty = false;
    const { folder, findings, log } = this.parts;
    const path = join(folder, fileName);
    try {
      await writeFile(`${path}.part`, JSON.stringify(findings.totals()));
      await rename(`${path}.part`, path);
    } catch (error) {
      log.debug({ why: messageOf(error) }, 'hits not on disk');
    }
  }
}

/** The figures in a run's folder; none where they cannot be read. */
export async function readHits(folder: string): Promise<KeptTotal[]> {
  try {
    const found: unknown = JSON.parse(await readFile(join(folder, fileName), 'utf8'));
    return Array.isArray(found) ? found.filter(isTotal) : [];
  } catch {
    return [];
  }
}

const isTotal = (value: unknown): value is KeptTotal => {
  const { sha256, crashId, total } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof sha256 === 'string' && typeof crashId === 'string' && Number.isSafeInteger(total);
};
