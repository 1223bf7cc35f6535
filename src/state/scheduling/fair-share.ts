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
/** Clocks below which no look for those that are over pays. */
const fewClocks = 1000;

export class FairShare {
  /** Of campaigns that have terms of their own. */
  readonly #terms = new Map<string, CampaignTerms>();
  readonly #clocks = new Map<string, number>();
  #time = 0;
  #lookAt = fewClocks;

  /** `running`: jobs of a campaign that run or are being claimed. */
  constructor(private readonly running: (key: string) => number) {}

  set(key: string, terms: CampaignTerms): void {
    const { weight, maxParallel } = terms;
    if (weight === usual.weight && maxParallel === usual.maxParallel) this.#terms.delete(key);
    else this.#terms.set(key, terms);
  }

  termsOf(key: string): CampaignTerms {
    return this.#terms.get(key) ?? usual;
  }

  hasRoom(key: string): boolean {
    const { maxParallel } = this.termsOf(key);
    return maxParallel === 0 || this.running(key) < maxParallel;
  }

  /** Counts a claim of this campaign. */
  took(key: string): void {
    this.#time = this.clockOf(key);
    this.#clocks.set(key, this.#time + 1 / this.termsOf(key).weight);
    if (this.#clocks.size > this.#lookAt) this.#forgetPast();
  }

  /** Undoes `took`: the claim found no job. */
  gaveBack(key: string): void {
    this.#clocks.set(key, this.clockOf(key) - 1 / this.termsOf(key).weight);
  }

  /** When a campaign that comes now has its turn. */
  clockOf(key: string): number {
    return Math.max(this.ownClockOf(key), this.#time);
  }

  /** What its own jobs have moved its clock to; it may lie in the past. */
  ownClockOf(key: string): number {
    return this.#clocks.get(key) ?? 0;
  }

  /** A clock in the past says nothing. */
  #forgetPast(): void {
    for (const [key, clock] of this.#clocks) if (clock <= this.#time) this.#clocks.delete(key);
    this.#lookAt = Math.max(fewClocks, 2 * this.#clocks.size);
  }
}
