import { createHash } from 'node:crypto';

/**
 * Inputs kept of one distinct crash: a second and a third help to see what they share. A key
 * without frames may stand for more than one crash, so more are kept of it.
 */
const inputsPerKey = { withFrames: 3, withoutFrames: 16 } as const;
/** Distinct crashes that keep more than one input; after that one each. */
const richKeys = 256;
/** Inputs kept of one attempt: a message that is never the same would make every input distinct. */
const mostKept = 10_000;
/** Inputs kept whose reports could not be read, and their bytes. */
const mostUnknown = { inputs: 256, bytes: 64 * 2 ** 20 } as const;

/** Inputs that are known when they come again, the newest. */
const mostInputs = 100_000;
/** Distinct crashes that are counted by themselves. */
const mostCounts = 20_000;

/** How often one distinct crash was met. */
export interface DistinctCount {
  hits: number;
  kept: number;
  /** Hits that no message to the master has carried yet. */
  unsentHits: number;
  /** The input that was kept last. */
  last?: KeptInput;
  /** For people. */
  readonly place: string;
}

/** An input that was kept, and the hits that the master counts for it. */
export interface KeptInput {
  /** SHA-256, hex. */
  readonly sha256: string;
  /** Hits of the attempt that belong to it: those of its report and those since. */
  total: number;
  /** The part of `total` that the master has. */
  sentTotal: number;
  /** The master's id for it; undefined until it is acknowledged. */
  crashId?: string;
  /** And that of its group. */
  groupId?: string;
}

/** Hits of a kept input, for another process of the bot. */
export interface KeptTotal {
  /** Of the input, hex. */
  readonly sha256: string;
  /** The master's id of the crash; '' until it is acknowledged. */
  readonly crashId: string;
  /** Hits of the attempt. */
  readonly total: number;
}

/** Hits of one crash that the master does not have yet. */
export interface PendingHits {
  readonly crashId: string;
  /** Total of the attempt. */
  readonly hits: number;
  /** To be called when the master has them. */
  readonly sent: () => void;
}

/** The part of a crash by which it differs from others. */
export interface CrashKey {
  /** Kind, message and innermost own frames; '' where nothing could be read. */
  readonly key: string;
  readonly hasFrames: boolean;
  /** Where it happens, for people: the innermost own function, or the kind. */
  readonly place?: string;
  readonly isLeak?: boolean;
  /** Its kind was read, if nothing else: no other report would say more. */
  readonly isKnown?: boolean;
}

/** What becomes of one crashing input. */
export interface Verdict {
  readonly isKept: boolean;
  /** Hits of the same distinct crash since the last report of them, this one included. */
  readonly hits: number;
  /** The input, when it is kept. */
  readonly kept?: KeptInput;
}

/**
 * The crashes of one attempt, and which of their inputs are kept. Crashes differ by
 * a key (kind, message and innermost own frames); of each at least one input is kept. What
 * has no key is kept by input, within a bound of bytes. All the rest is counted.
 */
export class Findings {
  /** Inputs that earlier attempts found: they are no news. */
  readonly #known: ReadonlySet<string>;
  readonly #inputs = new Map<string, string>();
  readonly #counts = new Map<string, DistinctCount>();
  readonly #keptInputs: KeptInput[] = [];
  #distinct = 0;
  #hits = 0;
  #kept = 0;
  #unknownInputs = 0;
  #unknownBytes = 0;

  /** @param known SHA-256 of inputs of earlier attempts, in hex digits */
  constructor(known: readonly string[] = []) {
    this.#known = new Set(known.map((sha256) => Buffer.from(sha256, 'hex').toString('base64')));
  }

  /** Every time a crash was met. */
  get hits(): number {
    return this.#hits;
  }

  /** Inputs kept for the master. */
  get kept(): number {
    return this.#kept;
  }

  /** Distinct crashing inputs, those not kept included, without those of earlier attempts. */
  get distinct(): number {
    return this.#distinct;
  }

  /** Counts by the key of each distinct crash; what has no key is not in it. */
  get distinctCounts(): ReadonlyMap<string, Readonly<DistinctCount>> {
    return this.#counts;
  }

  /** Hits of crashes that the master knows, and that no message has carried yet. */
  pendingHits(): PendingHits[] {
    for (const count of this.#counts.values()) {
      if (count.last?.crashId === undefined) continue;
      count.last.total += count.unsentHits;
      count.unsentHits = 0;
    }
    return this.#keptInputs.flatMap((input) => {
      const { crashId, total: hits } = input;
      if (crashId === undefined || hits === input.sentTotal) return [];
      const sent = () => {
        input.sentTotal = Math.max(input.sentTotal, hits);
      };
      return [{ crashId, hits, sent }];
    });
  }

  /** Hits of all kept inputs that have a key, those included that the master has. */
  totals(): KeptTotal[] {
    const unsent = new Map<KeptInput, number>();
    for (const { last, unsentHits } of this.#counts.values()) {
      if (last) unsent.set(last, unsentHits);
    }
    return this.#keptInputs.map((input) => {
      const { sha256, crashId = '', total } = input;
      return { sha256, crashId, total: total + (unsent.get(input) ?? 0) };
    });
  }

  /** Whether one more input without a key would be kept. */
  get hasRoomForUnknown(): boolean {
    return this.#unknownInputs < mostUnknown.inputs && this.#unknownBytes < mostUnknown.bytes;
  }

  /** Key of an input that was met; undefined for any other. */
  keyOfInput(inputDigest: string): string | undefined {
    return this.#inputs.get(inputDigest);
  }

  /** Counts a hit whose input was met before; returns false for a new input. */
  metAgain(inputDigest: string): boolean {
    const key = this.#inputs.get(inputDigest);
    if (key === undefined) return false;
    this.#hits += 1;
    const count = this.#counts.get(key);
    if (count) {
      count.hits += 1;
      count.unsentHits += 1;
    }
    return true;
  }

  /** Counts a hit whose input is lost: a full disk cut it off. */
  metLost(): void {
    this.#hits += 1;
  }

  /** @param key '' for a report that could not be read */
  judge(input: Buffer, found: CrashKey): Verdict {
    const { key } = found;
    const digest = digestOf(input);
    this.#remember(digest, key);
    this.#hits += 1;
    const verdict = key === '' ? this.#judgeUnknown(input) : this.#judgeKnown(found, digest);
    if (verdict.isKept) this.#kept += 1;
    return verdict;
  }

  /** Counts a hit of a distinct crash that is known, by an input that is not kept. */
  metKnown(input: Buffer, key: string): void {
    const digest = digestOf(input);
    this.#remember(digest, key);
    this.metAgain(digest);
  }

  #remember(digest: string, key: string): void {
    if (!this.#known.has(digest)) this.#distinct += 1;
    this.#inputs.set(digest, key);
    const [oldest] = this.#inputs.keys();
    if (this.#inputs.size > mostInputs && oldest !== undefined) this.#inputs.delete(oldest);
  }

  #judgeKnown({ key, hasFrames, place = 'an unknown place' }: CrashKey, digest: string): Verdict {
    const count = this.#counts.get(key) ?? { hits: 0, kept: 0, unsentHits: 0, place };
    const richly = hasFrames ? inputsPerKey.withFrames : inputsPerKey.withoutFrames;
    const mostOfKey = this.#counts.size <= richKeys ? richly : 1;
    if (this.#counts.size < mostCounts) this.#counts.set(key, count);
    count.hits += 1;
    count.unsentHits += 1;
    const isKept = count.kept < mostOfKey && this.#kept < mostKept;
    const hits = count.unsentHits;
    if (!isKept) return { isKept, hits };
    count.kept += 1;
    count.unsentHits = 0;
    const sha256 = Buffer.from(digest, 'base64').toString('hex');
    const kept: KeptInput = { sha256, total: hits, sentTotal: hits };
    count.last = kept;
    this.#keptInputs.push(kept);
    return { isKept, hits, kept };
  }

  #judgeUnknown(input: Buffer): Verdict {
    const isKept =
      this.#unknownInputs < mostUnknown.inputs &&
      this.#unknownBytes + input.length <= mostUnknown.bytes;
    if (isKept) {
      this.#unknownInputs += 1;
      this.#unknownBytes += input.length;
    }
    return { isKept, hits: 1 };
  }
}

/** Identifies an input. */
export const digestOf = (input: Buffer) => createHash('sha256').update(input).digest('base64');
