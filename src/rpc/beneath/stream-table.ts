import type { Server } from '@grpc/grpc-js';
import { http2ServersOf, stateOf } from './shapes.js';

/** Keeps the streams of each connection in a StreamTable, where Node has a Map. */
export function keepStreamsApart(server: Server): void {
  for (const http2 of http2ServersOf(server)) {
    http2.on('session', (session) => {
      const state = stateOf(session);
      if (state?.streams?.size === 0) state.streams = new StreamTable();
    });
  }
}

/**
 * The streams of one HTTP/2 connection by their ids, with the interface of the Map in
 * which Node keeps them, and without a Map's tables. A table of a Map that has grown old
 * retains the next one and all streams that were in it, with all that belonged to their
 * calls (core/bag.ts has the reason): 4 KB of each GetJob were copied twice, a tenth of
 * its time.
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
