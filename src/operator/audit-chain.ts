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
}

/**
 * Verifies the audit log, entry by entry from the oldest on: each has its own hash, follows
 * the one before, and the first one begins where the log was cut.
 *
 * @param head an entry that was noted earlier, which must be there as it was
 */
export class ChainCheck {
  first: AuditEntry | undefined;
  last: AuditEntry | undefined;
  count = 0;
  #isBegun = false;
  #hasHead = false;

  constructor(private readonly head: Link | undefined) {}

  /** @returns what is wrong, if anything is */
  next(entry: AuditEntry): Break | undefined {
    const { sequence } = entry;
    const broken = (problem: string) => ({ sequence, problem });
    const last = this.last;
    if (last && sequence !== last.sequence + 1) {
      const gone = sequence - last.sequence - 1;
      return broken(gone > 0 ? `${gone} before it are missing` : 'it is out of order');
    }
    if (last && entry.previous !== last.hash) return broken('it does not follow the one before');
    if (hashOf(asKept(entry)) !== entry.hash) return broken('its content does not fit its hash');
    this.first ??= entry;
    this.last = entry;
    this.count += 1;
    if (isBeginning(this.first, entry)) this.#isBegun = true;
    if (sequence !== this.head?.sequence) return undefined;
    this.#hasHead = true;
    return entry.hash === this.head.hash ? undefined : broken('it is not the one of --head');
  }

  /** @returns what is wrong with the whole, if anything is */
  end(): Break | undefined {
    const { first, head } = this;
    if (first && !this.#isBegun) {
      const problem = 'those before it are missing, and no entry says that they were deleted';
      return { sequence: first.sequence, problem };
    }
    if (!head || this.#hasHead) return undefined;
    if (first && head.sequence < first.sequence) return undefined;
    return { sequence: head.sequence, problem: 'it is missing, at the end of the log' };
  }
}

/** Whether this entry says that the log begins with `first`. */
function isBeginning(first: AuditEntry, { kind, about }: AuditEntry): boolean {
  if (first.sequence === 1) return first.previous === '';
  if (kind !== AuditKind.CUT) return false;
  const { sequence, hash } = Object.fromEntries(aboutPairs(about));
  return sequence === String(first.sequence - 1) && hash === first.previous;
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
