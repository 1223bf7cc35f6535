import type { Packs } from '../depot.js';
import { downloadWhole } from './download.js';
import type { FoundObject, Objects } from './objects.js';

/** Sizes of packs that are remembered: an id and a number each. */
const mostKnown = 100_000;

/** Packs as objects "packs/0000000001.pack", which are never changed. */
export class PackObjects implements Packs {
  readonly readsAtOnce = 16;
  readonly triesOfDamaged = 3;
  readonly #sizes = new Map<number, number>();
  /** Key behind which the next list for strays begins. */
  #listedUpTo = '';

  constructor(private readonly objects: Objects) {}

  async look(id: number): Promise<FoundObject | undefined> {
    const found = await this.objects.look(packKey(id));
    if (found) this.remember(id, found.sizeBytes);
    else await this.#expectGone(id);
    return found;
  }

  /** A HEAD has no words: a bucket that is gone looks like a pack that is. @throws RetryExhaustedError */
  async #expectGone(id: number): Promise<void> {
    await downloadWhole(this.objects, packKey(id), { offset: 0, lengthBytes: 1 });
    this.#sizes.delete(id);
  }

  async sizeOf(id: number): Promise<number> {
    return this.#sizes.get(id) ?? (await this.look(id))?.sizeBytes ?? 0;
  }

  async read(id: number, position: number, lengthBytes: number): Promise<Buffer> {
    const part = { offset: position, lengthBytes };
    const bytes = await downloadWhole(this.objects, packKey(id), part);
    if (!bytes) this.#sizes.delete(id);
    return bytes ?? Buffer.alloc(0);
  }

  async remove(id: number): Promise<void> {
    this.#sizes.delete(id);
    await this.objects.remove(packKey(id));
  }

  /** A page of all packs, then the next one: an upload that failed may have left one behind. */
  async listSome(): Promise<number[]> {
    const { found, isLast } = await this.objects.list('packs/', this.#listedUpTo);
    this.#listedUpTo = isLast ? '' : (found.at(-1)?.key ?? '');
    return found.flatMap(({ key }) => idOf(key) ?? []);
  }

  /** The highest id from `from` on; `from` where there is none. */
  async newest(from: number): Promise<number> {
    let newest = from;
    for (let after = packKey(from); ; ) {
      const { found, isLast } = await this.objects.list('packs/', after);
      for (const { key } of found) newest = Math.max(newest, idOf(key) ?? 0);
      const last = found.at(-1);
      if (isLast || !last) return newest;
      after = last.key;
    }
  }

  /** Notes the size of a pack that is there. */
  remember(id: number, sizeBytes: number): void {
    this.#sizes.set(id, sizeBytes);
    const [oldest] = this.#sizes.keys();
    if (this.#sizes.size > mostKnown && oldest !== undefined) this.#sizes.delete(oldest);
  }
}

export const packKey = (id: number): string => `packs/${String(id).padStart(10, '0')}.pack`;

function idOf(key: string): number | undefined {
  const digits = /^packs\/(\d{10})\.pack$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 10);
}
