import type { AuditNote } from '../../core/audit.js';
import type { Clock } from '../../core/clock.js';

/** Refusals by address, token and reason that have entries of their own in one window. */
const mostKinds = 64;
/** Time after which refusals are told apart anew, milliseconds. */
const windowMs = 3_600_000;

interface Kind {
  readonly first: AuditNote;
  /** Refusals that are in no entry yet. */
  count: number;
  hasEntry: boolean;
}

/**
 * Refusals that wait to be written. The first of each address, token and reason is due at
 * once; those that follow within the hour are counted, and due at its end. So a brute force
 * makes at most some hundred entries an hour, and pushes no change out of the log. What is
 * beyond the bound is counted by its reason alone.
 */
export class Refusals {
  readonly #kinds = new Map<string, Kind>();
  #endsAt = 0;

  constructor(private readonly clock: Clock) {}

  add(note: AuditNote): void {
    this.#add(note);
  }

  /** Gives back what could not be written, with its count: it is due with the next write. */
  putBack(notes: readonly AuditNote[]): void {
    for (const note of notes) this.#add(note).hasEntry = false;
  }

  #add(note: AuditNote): Kind {
    if (this.#kinds.size === 0) this.#endsAt = this.clock.monotonic() + windowMs;
    const { method, address, tokenId, outcome } = note;
    const own = JSON.stringify([outcome, address, tokenId]);
    const isApart = method !== '' && (this.#kinds.has(own) || this.#kinds.size < mostKinds);
    if (isApart) return this.#count(own, note);
    const several = { method: '', address: '', caller: '', tokenId: '', role: '', about: [] };
    // Reasons are words of our own code: there are a few dozen.
    return this.#count(JSON.stringify([outcome]), { ...note, ...several });
  }

  /** Those to write now. */
  due(): AuditNote[] {
    return this.clock.monotonic() >= this.#endsAt
      ? this.all()
      : this.#take((kind) => !kind.hasEntry);
  }

  /** Everything that waits; the next refusals begin a new window. */
  all(): AuditNote[] {
    const notes = this.#take(() => true);
    this.#kinds.clear();
    return notes;
  }

  #count(key: string, note: AuditNote): Kind {
    const kind = this.#kinds.get(key) ?? { first: note, count: 0, hasEntry: false };
    kind.count += note.count;
    this.#kinds.set(key, kind);
    return kind;
  }

  #take(isDue: (kind: Kind) => boolean): AuditNote[] {
    const notes: AuditNote[] = [];
    for (const kind of this.#kinds.values()) {
      if (kind.count === 0 || !isDue(kind)) continue;
      notes.push({ ...kind.first, count: kind.count });
      kind.count = 0;
      kind.hasEntry = true;
    }
    return notes;
  }
}
