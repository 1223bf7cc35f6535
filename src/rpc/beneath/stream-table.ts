/**
 * The streams of one HTTP/2 connection, by their ids, as Node's session asks for them: a
 * Map to whoever looks, without a Map's tables. Each of those, once it has grown old,
 * would keep the next and all streams that were in it, with all that belonged to their
 * calls (core/bag.ts says how): 4 KB of each GetJob were copied twice, a tenth of its time.
 */
export class StreamTable<Stream> extends Map<number, Stream> {
  readonly #streams: Record<number, Stream> = {};
  #size = 0;

  override get size(): number {
    return this.#size;
  }

  override has(id: number): boolean {
    return this.#streams[id] !== undefined;
  }

  override get(id: number): Stream | undefined {
    return this.#streams[id];
  }

  override set(id: number, stream: Stream): this {
    if (!this.has(id)) this.#size++;
    this.#streams[id] = stream;
    return this;
  }

  override delete(id: number): boolean {
    if (!this.has(id)) return false;
    delete this.#streams[id];
    this.#size--;
    return true;
  }

  override clear(): void {
    for (const id of this.keys()) this.delete(id);
  }

  override *entries(): MapIterator<[number, Stream]> {
    for (const [id, stream] of Object.entries(this.#streams)) yield [Number(id), stream as Stream];
  }

  override *keys(): MapIterator<number> {
    for (const [id] of this.entries()) yield id;
  }

  override *values(): MapIterator<Stream> {
    for (const [, stream] of this.entries()) yield stream;
  }

  override [Symbol.iterator](): MapIterator<[number, Stream]> {
    return this.entries();
  }

  override forEach(
    each: (stream: Stream, id: number, table: Map<number, Stream>) => void,
    self?: unknown,
  ): void {
    for (const [id, stream] of this.entries()) each.call(self, stream, id, this);
  }
}
