/**
 * Start-time fair queueing between campaigns, by CPU time. Each campaign has a virtual clock,
 * which each of its jobs moves by its planned CPU seconds / weight; the campaign with the
 * earliest clock goes next. A run that has ended used more or less than was planned: that is
 * made up for by the campaign's next ones, so that clocks never go back and no order has to be
 * made anew. A campaign that returns after a while starts at the current time, without credit
 * or debt.
 */
export interface CampaignTerms {
  readonly weight: number;
  /** Jobs that may run at once; 0: no limit. */
  readonly maxParallel: number;
}

/**
 * CPU seconds that a job counts whose time nobody planned, as those that are submitted by hand:
 * the shortest run that a campaign makes by itself. All count the same, however long they take.
 */
export const jobSeconds = 600;

const usual: CampaignTerms = { weight: 1, maxParallel: 0 };
/** Clocks below which no look for those that are over pays. */
const fewClocks = 1000;

export class FairShare {
  /** Of campaigns that have terms of their own. */
  readonly #terms = new Map<string, CampaignTerms>();
  readonly #clocks = new Map<string, number>();
  /** CPU seconds that were planned and not used; below 0, used and not planned. */
  readonly #left = new Map<string, number>();
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

  /**
   * Counts a claim of this campaign.
   *
   * @param seconds planned CPU time
   * @returns what its clock was moved by, times its weight: for `gaveBack`
   */
  took(key: string, seconds = jobSeconds): number {
    if (this.ownClockOf(key) < this.#time) this.#left.delete(key);
    const charged = this.#useLeft(key, seconds);
    this.#time = this.clockOf(key);
    this.#clocks.set(key, this.#time + charged / this.termsOf(key).weight);
    if (this.#clocks.size > this.#lookAt) this.#forgetPast();
    return charged;
  }

  /** Undoes `took`: the claim found no job. */
  gaveBack(key: string, charged: number, seconds = jobSeconds): void {
    this.#clocks.set(key, this.clockOf(key) - charged / this.termsOf(key).weight);
    this.corrected(key, charged - seconds);
  }

  /** A run took so many CPU seconds more than it was planned to, or fewer. */
  corrected(key: string, seconds: number): void {
    const left = (this.#left.get(key) ?? 0) - seconds;
    // Of a campaign without a clock nothing is owed, either.
    if (left === 0 || !this.#clocks.has(key)) this.#left.delete(key);
    else this.#left.set(key, left);
  }

  /** When a campaign that comes now has its turn. */
  clockOf(key: string): number {
    return Math.max(this.ownClockOf(key), this.#time);
  }

  /** What its own jobs have moved its clock to; it may lie in the past. */
  ownClockOf(key: string): number {
    return this.#clocks.get(key) ?? 0;
  }

  /** @returns how many of these seconds its clock is to be moved by */
  #useLeft(key: string, seconds: number): number {
    const left = (this.#left.get(key) ?? 0) - seconds;
    if (left > 0) this.#left.set(key, left);
    else this.#left.delete(key);
    return Math.max(-left, 0);
  }

  /** A clock in the past says nothing. */
  #forgetPast(): void {
    for (const [key, clock] of this.#clocks) {
      if (clock > this.#time) continue;
      this.#clocks.delete(key);
      this.#left.delete(key);
    }
    this.#lookAt = Math.max(fewClocks, 2 * this.#clocks.size);
  }
}
