import type { Clock, Timer } from '../../src/core/clock.js';
import { hashOf } from './random.js';

/** A process of the simulation. Nothing happens in one that is over, or for as long as it is stopped. */
export interface Owner {
  isOver: boolean;
  /** Virtual time until which it is stopped, as by SIGSTOP. */
  frozenUntil: number;
}

interface Entry {
  at: number;
  /** Among those of one time. */
  readonly order: number;
  readonly label: string;
  readonly fire: () => void;
  readonly owner: Owner | undefined;
  isCancelled: boolean;
}

/** Events that are kept, for people. */
const keptEvents = 60;
const beganAt = Date.UTC(2026, 0, 1);

/**
 * Virtual time: everything that happens later, in order. One event after the other; what
 * each sets off at once is over before the next. `hash` is of all that has happened.
 */
export class Timeline {
  now = 0;
  /** Events so far. */
  events = 0;
  #orders = 0;
  readonly #heap: Entry[] = [];
  #hash: readonly [number, number] = [0x811c9dc5, 0x01234567];
  readonly #recent: string[] = [];

  /** @param print gets a line for each event, where somebody reads them */
  constructor(private readonly print?: (line: string) => void) {}

  after(delayMs: number, label: string, fire: () => void, owner?: Owner): Timer {
    if (Number.isNaN(delayMs)) throw new Error(`${label} is to happen after NaN ms`);
    return this.at(this.now + Math.max(delayMs, 0), label, fire, owner);
  }

  /** At that very moment: what is computed again from a delay may be another one. */
  at(at: number, label: string, fire: () => void, owner?: Owner): Timer {
    const entry = { at, order: this.#orders++, label, fire, owner, isCancelled: false };
    this.#push(entry);
    return {
      cancel: () => {
        entry.isCancelled = true;
      },
    };
  }

  /** Stops a process. A stop that is under way is never cut short: what waits for it keeps its order. */
  freeze(owner: Owner, forMs: number): void {
    owner.frozenUntil = Math.max(owner.frozenUntil, this.now + forMs);
  }

  /** The clock of a process: its timers end with it. */
  clockOf(owner: Owner, name: string): Clock {
    const label = `${name}: timer`;
    return {
      now: () => beganAt + Math.floor(this.now),
      monotonic: () => this.now,
      schedule: (delayMs, fire) =>
        owner.isOver ? { cancel: () => {} } : this.after(delayMs, label, fire, owner),
    };
  }

  /** The next event happens. @returns false when there is none */
  step(): boolean {
    for (let next = this.#pop(); next; next = this.#pop()) {
      const { owner } = next;
      if (next.isCancelled || owner?.isOver) continue;
      this.now = Math.max(this.now, next.at);
      if (owner && owner.frozenUntil > this.now) {
        next.at = owner.frozenUntil;
        this.#push(next);
        continue;
      }
      this.events++;
      this.note(next.label);
      next.fire();
      return true;
    }
    return false;
  }

  /** Something that is part of what happens, beside the event itself. */
  note(text: string): void {
    const line = `${this.now.toFixed(3)} ${text}`;
    const [first, second] = this.#hash;
    this.#hash = [hashOf(line, first), hashOf(line, second)];
    this.#recent[this.#recent.length < keptEvents ? this.#recent.length : this.#noted] = line;
    this.#noted = (this.#noted + 1) % keptEvents;
    this.print?.(line);
  }

  #noted = 0;

  /** The last events, the oldest first. */
  get recent(): string[] {
    if (this.#recent.length < keptEvents) return [...this.#recent];
    return [...this.#recent.slice(this.#noted), ...this.#recent.slice(0, this.#noted)];
  }

  get hash(): string {
    return this.#hash.map((part) => part.toString(16).padStart(8, '0')).join('');
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Entry;
      if (!isBefore(entry, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!child || !isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);
