import { hash } from 'node:crypto';
import type { PackRow } from '../../ops/blobs/packs.js';
import { type AppendGroup, AppendQueue } from '../append-queue.js';
import type { Appended, Appender, SmallBlob } from '../depot.js';
import { Unrecorded } from '../unrecorded.js';
import { isThere } from './faults.js';
import type { Objects } from './objects.js';
import { type PackObjects, packKey } from './pack-objects.js';

/** Packs that are sent at once: what comes meanwhile goes together into the next one. */
const sentAtOnce = 4;
/** Ids that are tried, where another master, or an earlier try, has taken one. */
const mostIds = 100;

/**
 * Each group of entries is an object of its own, which appears whole or not at all: objects
 * cannot be appended to. Callers are answered when the server has acknowledged it.
 */
export class PackUploads implements Appender {
  readonly #queue = new AppendQueue();
  readonly #unrecorded = new Unrecorded();
  readonly #sending = new Set<Promise<void>>();
  #nextId = 1;

  constructor(
    private readonly objects: Objects,
    private readonly packs: PackObjects,
  ) {}

  async open(last: PackRow | undefined): Promise<void> {
    this.#nextId = (await this.packs.newest(last?.id ?? 0)) + 1;
  }

  isInUse(id: number): boolean {
    return id >= this.#nextId || this.#unrecorded.has(id);
  }

  append(blobs: readonly SmallBlob[]): Promise<Appended> {
    const appended = this.#queue.add(blobs);
    this.#sendNext();
    return appended;
  }

  async close(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  #sendNext(): void {
    while (!this.#queue.isEmpty && this.#sending.size < sentAtOnce) {
      const group = this.#queue.takeGroup();
      const sending = this.#send(group)
        .catch((error: unknown) => group.reject(error))
        .finally(() => {
          this.#sending.delete(sending);
          this.#sendNext();
        });
      this.#sending.add(sending);
    }
  }

  async #send(group: AppendGroup): Promise<void> {
    const bytes = group.layOut();
    const sha256 = hash('sha256', bytes, 'hex');
    for (let tries = 1; ; tries++) {
      const id = this.#nextId++;
      // From now on: the sweep looks at what the bucket has.
      const { release } = this.#unrecorded.note(id, []);
      try {
        await this.objects.put(packKey(id), { bytes, sha256, ifNew: true });
        this.packs.remember(id, bytes.length);
        group.resolve(id, 0, (placed) => this.#unrecorded.note(id, placed));
        return;
      } catch (error) {
        if (!isThere(error) || tries === mostIds) throw error;
        // Other masters may be far ahead.
        this.#nextId = Math.max(this.#nextId, (await this.packs.newest(id)) + 1);
      } finally {
        release();
      }
    }
  }
}
