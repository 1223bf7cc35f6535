/**
 * Start-time fair queueing between campaigns. Each campaign has a virtual clock, which
 * each of its jobs moves by 1 / weight; the campaign with the earliest clock goes next. A
 * campaign that returns after a while starts at the current time, without credit or debt.
 */
export interface CampaignTerms {
  readonly weight: number;
  /** Jobs that may run at once; 0: no limit. */
  readonly maxParallel: number;
}

const usual: CampaignTerms = { weight: 1, maxParallel: 0 };

export class FairShare {
  readonly #terms = new Map<string, CampaignTerms>();
  readonly #clocks = new Map<string, number>();
  #time = 0;

  /** `running`: jobs of a campaign that run or are being claimed. */
  constructor(private readonly running: (key: string) => number) {}

  set(key: string, terms: CampaignTerms): void {
    this.#terms.set(key, terms);
  }

  termsOf(key: string): CampaignTerms {
    return this.#terms.get(key) ?? usual;
  }

  hasRoom(key: string): boolean {
    const { maxParallel } = this.termsOf(key);
    return maxParallel === 0 || this.running(key) < maxParallel;
  }

  /** The campaign of these whose turn it is; undefined if none has room. */
  next(keys: Iterable<string>): string | undefined {
    let first: string | undefined;
    for (const key of keys) {
      if (!this.hasRoom(key)) continue;
      if (first === undefined || this.#clockOf(key) < this.#clockOf(first)) first = key;
    }
    return first;
  }

  /** Counts a claim of this campaign. */
  took(key: string): void {
    this.#time = this.#clockOf(key);
    this.#clocks.set(key, this.#time + 1 / this.termsOf(key).weight);
  }

  /** Undoes `took`: the claim found no job. */
  gaveBack(key: string): void {
    this.#clocks.set(key, this.#clockOf(key) - 1 / this.termsOf(key).weight);
  }

  #clockOf(key: string): number {
    return Math.max(this.#clocks.get(key) ?? 0, this.#time);
  }
}
