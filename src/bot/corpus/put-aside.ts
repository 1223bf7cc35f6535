import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { inputsPutAside } from '../../client/corpora.js';
import {
  type CorpusKey,
  InputPutAside,
  PutAsideReason,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';

/** Inputs sent in one call. */
const sentAtOnce = 1000;

/**
 * Inputs that the run's build does without, as it crashes or hangs on them while it loads its
 * corpus: those that other runs have found, and those that this one finds, which the master
 * is told of.
 */
export class PutAside {
  readonly #inputs = new Set<string>();
  readonly #counts = new Map<PutAsideReason, number>();
  #unsent: InputPutAside[] = [];
  #known = 0;
  #cursor = 0;

  constructor(
    private readonly parts: {
      readonly connection: Connection;
      readonly lease: Lease;
      readonly corpus: CorpusKey;
      readonly targetSha256: string;
    },
  ) {}

  has(sha256: string): boolean {
    return this.#inputs.has(sha256);
  }

  get all(): ReadonlySet<string> {
    return this.#inputs;
  }

  add(sha256: string, sizeBytes: number, reason: PutAsideReason): void {
    if (this.#inputs.has(sha256)) return;
    this.#inputs.add(sha256);
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    this.#unsent.push(InputPutAside.create({ sha256, sizeBytes, reason }));
  }

  /** Reads what other runs have found since the last time. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { connection, corpus, targetSha256 } = this.parts;
    const of = { corpus, targetSha256, cursor: this.#cursor };
    for await (const { sha256, cursor } of inputsPutAside(connection, of, { signal })) {
      if (!this.#inputs.has(sha256)) this.#known += 1;
      this.#inputs.add(sha256);
      this.#cursor = cursor;
    }
  }

  /** Tells the master of those that this run has found. */
  async send(signal: AbortSignal): Promise<void> {
    const { connection, lease } = this.parts;
    const { corpora } = connection;
    while (this.#unsent.length > 0) {
      const inputs = this.#unsent.slice(0, sentAtOnce).filter(isSendable);
      if (inputs.length > 0) {
        await unary(corpora, corpora.putInputsAside, { lease, inputs }, { signal });
      }
      this.#unsent = this.#unsent.slice(sentAtOnce);
    }
  }

  /** What people have to know of it; '' when there is nothing. */
  get note(): string {
    const found = [...this.#counts].map(([reason, count]) => `${count} ${words[reason] ?? ''}`);
    const total = this.#inputs.size;
    if (total === 0) return '';
    const earlier = this.#known > 0 ? [`${this.#known} known before`] : [];
    const inputs = total === 1 ? '1 input is' : `${total} inputs are`;
    return `${inputs} put aside for this build (${[...earlier, ...found].join(', ')})`;
  }
}

const words: Partial<Record<PutAsideReason, string>> = {
  [PutAsideReason.CRASH]: 'crashing',
  [PutAsideReason.SLOW]: 'too slow',
  [PutAsideReason.MEMORY]: 'out of memory',
};

const largestBytes = 2 ** 20;
const isSendable = ({ sizeBytes }: InputPutAside) => sizeBytes <= largestBytes;
