import { hashOf } from '../core/audit.js';
import { type AuditEntry, AuditKind } from '../gen/pandafuzz/v1/identity_service.js';

/** The place of an entry in the chain. */
export interface Link {
  readonly sequence: number;
  readonly hash: string;
}

/** Where the chain is broken, in words. */
export interface Break {
  readonly sequence: number;
  readonly problem: string;
  /** Entries that are missing before that one. */
  readonly missing?: number;
}

/**
 * Verifies the audit log, entry by entry from the oldest on: each has its own hash, follows
 * the one before, and the first one begins where the log was cut.
 *
 * @param head an entry that was noted earlier, which must be there as it was; where it was
 * deleted since, as the cut says that it was
 */
export class ChainCheck {
  first: AuditEntry | undefined;
  last: AuditEntry | undefined;
  count = 0;
  #isBegun = false;
  /** Whether the log has `head`, or a cut that names it. */
  #hasHead = false;

  constructor(private readonly head: Link | undefined) {}

  /** Whether `head` was deleted, and no cut says what it was: the log neither has it nor denies it. */
  get isHeadGone(): boolean {
    const { first, head } = this;
    return !!head && !this.#hasHead && !!first && head.sequence < first.sequence;
  }

  /** @returns what is wrong, if anything is */
  next(entry: AuditEntry): Break | undefined {
    const { sequence } = entry;
    const broken = (problem: string) => ({ sequence, problem });
    const last = this.last;
    if (last && sequence !== last.sequence + 1) {
      const gone = sequence - last.sequence - 1;
      if (gone <= 0) return broken('it is out of order');
      return { ...broken(`${gone} before it are missing`), missing: gone };
    }
    if (last && entry.previous !== last.hash) return broken('it does not follow the one before');
    if (hashOf(asKept(entry)) !== entry.hash) return broken('its content does not fit its hash');
    this.first ??= entry;
    this.last = entry;
    this.count += 1;
    if (isBeginning(this.first, entry)) this.#isBegun = true;
    return this.#againstHead(entry);
  }

  #againstHead(entry: AuditEntry): Break | undefined {
    const { head } = this;
    const { sequence } = entry;
    if (!head) return undefined;
    if (sequence === head.sequence) {
      this.#hasHead = true;
      if (entry.hash === head.hash) return undefined;
      return { sequence, problem: 'it is not the one of --head' };
    }
    const cut = cutBy(entry);
    if (cut?.sequence !== head.sequence) return undefined;
    this.#hasHead = true;
    if (cut.hash === head.hash) return undefined;
    return { sequence, problem: 'the last one that it deleted is not the one of --head' };
  }

  /** @returns what is wrong with the whole, if anything is */
  end(): Break | undefined {
    const { first, head } = this;
    if (first && !this.#isBegun) {
      const problem = 'those before it are missing, and no entry says that they were deleted';
      return { sequence: first.sequence, problem };
    }
    if (!head || this.#hasHead || this.isHeadGone) return undefined;
    return { sequence: head.sequence, problem: 'it is missing, at the end of the log' };
  }
}

/** Whether this entry says that the log begins with `first`. */
function isBeginning(first: AuditEntry, entry: AuditEntry): boolean {
  if (first.sequence === 1) return first.previous === '';
  const cut = cutBy(entry);
  return cut?.sequence === first.sequence - 1 && cut.hash === first.previous;
}

/** The last entry that a cut deleted; undefined of other entries. */
function cutBy({ kind, about }: AuditEntry): Link | undefined {
  if (kind !== AuditKind.CUT) return undefined;
  const { sequence, hash = '' } = Object.fromEntries(aboutPairs(about));
  return { sequence: Number(sequence), hash };
}

/** A log is read no more often, however often it is cut meanwhile: the largest cut has some hundred writes. */
const mostReadings = 1000;

export interface Verified {
  readonly check: ChainCheck;
  readonly wrong: Break | undefined;
}

/**
 * Verifies a whole log. The master cuts it at times, also between two pages: then entries are
 * missing in the middle of what was read, and the log is read anew from its new beginning.
 * Where it begins as before, they are gone indeed.
 *
 * @param read reads all entries, from the oldest on
 */
export async function verifyChain(
  read: () => AsyncIterable<AuditEntry>,
  head?: Link,
): Promise<Verified> {
  let verified = await readOnce(read, head);
  for (let i = 1; i < mostReadings && verified.wrong?.missing; i++) {
    const beginning = verified.check.first?.sequence;
    verified = await readOnce(read, head);
    if (verified.check.first?.sequence === beginning) break;
  }
  return verified;
}

async function readOnce(
  read: () => AsyncIterable<AuditEntry>,
  head: Link | undefined,
): Promise<Verified> {
  const check = new ChainCheck(head);
  for await (const entry of read()) {
    const wrong = check.next(entry);
    if (wrong) return { check, wrong };
  }
  return { check, wrong: check.end() };
}

const kinds: Partial<Record<AuditKind, 'change' | 'refusal' | 'cut'>> = {
  [AuditKind.CHANGE]: 'change',
  [AuditKind.REFUSAL]: 'refusal',
  [AuditKind.CUT]: 'cut',
};

/** What the hash of an entry is of. */
const asKept = ({ time, kind, ...rest }: AuditEntry) => ({
  ...rest,
  time: time?.getTime() ?? 0,
  kind: kinds[kind] ?? 'change',
});

/** Pairs of a field and its value; none where the text is not of that form. */
export function aboutPairs(about: string): [string, string][] {
  try {
    const pairs: unknown = JSON.parse(about);
    if (!Array.isArray(pairs)) return [];
    return pairs.filter(
      (pair): pair is [string, string] =>
        Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === 'string'),
    );
  } catch {
    return [];
  }
}
