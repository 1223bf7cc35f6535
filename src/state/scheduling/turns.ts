interface Turn<Key> {
  readonly key: Key;
  readonly clock: number;
  /** Order among equal clocks. */
  readonly place: number;
}

/** Entries below which no look for dead ones pays. */
const fewTurns = 64;

/**
 * Keys in the order of their clocks: a binary heap. Clocks rise elsewhere, and keys die
 * elsewhere; an entry is brought up to date or dropped when it comes to the top, so that
 * no change costs more than the entries it touches.
 */
export class Turns<Key> {
  #heap: Turn<Key>[] = [];
  readonly #members = new Set<Key>();
  #places = 0;
  #lookAt = fewTurns;

  constructor(private readonly isAlive: (key: Key) => boolean) {}

  get size(): number {
    return this.#heap.length;
  }

  /** Adds a key; one that is there keeps its turn. */
  add(key: Key, clock: number): void {
    if (this.#members.has(key)) return;
    if (this.#heap.length >= this.#lookAt) this.#dropDead();
    this.#members.add(key);
    this.#push({ key, clock, place: this.#places++ });
  }

  /** The key whose turn it is, with the clock it was added with. */
  get first(): { readonly key: Key; readonly clock: number } | undefined {
    return this.#heap[0];
  }

  /** Removes the first key. */
  drop(): void {
    const first = this.#heap[0];
    if (!first) return;
    this.#members.delete(first.key);
    const last = this.#heap.pop() as Turn<Key>;
    if (last !== first) this.#sink(last);
  }

  #push(turn: Turn<Key>): void {
    let at = this.#heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above] as Turn<Key>;
      if (!isBefore(turn, parent)) break;
      this.#heap[at] = parent;
      at = above;
    }
    this.#heap[at] = turn;
  }

  /** Puts a turn in at the top, and lets it sink to its place. */
  #sink(turn: Turn<Key>): void {
    let at = 0;
    for (;;) {
      const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!child || !isBefore(child, turn)) break;
      this.#heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    this.#heap[at] = turn;
  }

  /** Each look at all entries follows as many additions, so an addition costs no more. */
  #dropDead(): void {
    const alive: Turn<Key>[] = [];
    for (const turn of this.#heap) {
      if (this.isAlive(turn.key)) alive.push(turn);
      else this.#members.delete(turn.key);
    }
    // A sorted list is a heap.
    this.#heap = alive.sort((a, b) => a.clock - b.clock || a.place - b.place);
    this.#lookAt = Math.max(fewTurns, 2 * alive.length);
  }
}

const isBefore = (a: Turn<unknown>, b: Turn<unknown>): boolean =>
  a.clock < b.clock || (a.clock === b.clock && a.place < b.place);
