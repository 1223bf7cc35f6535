import type { WireError } from '../../src/store/sqlite/faults.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** Trouble that lasts for a while. */
export type Trouble = 'slow disk' | 'busy disk' | 'failing disk' | 'lossy calls' | 'slow network';

const errors: Partial<Record<Trouble, WireError>> = {
  'busy disk': { kind: 'sqlite', code: 'SQLITE_BUSY', message: 'another process has the lock' },
  'failing disk': { kind: 'sqlite', code: 'SQLITE_IOERR_WRITE', message: 'the disk fails' },
};

/** What only the disk has is found by looks one TTL apart, ms. */
const recoveredAfterMs = 9000;

/** What time everything takes and what fails by itself, as seed and steps decide. */
export class Weather {
  readonly #until = new Map<Trouble, number>();
  /** When something last went wrong that the master is still recovering from. */
  #felt = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
  ) {}

  begin(trouble: Trouble, forMs: number): void {
    this.#until.set(trouble, this.timeline.now + forMs);
    this.wasFelt();
  }

  clear(): void {
    this.#until.clear();
  }

  is(trouble: Trouble): boolean {
    return (this.#until.get(trouble) ?? 0) > this.timeline.now;
  }

  /** A master that was killed, a call that timed out, a stream that is held up for a while. */
  wasFelt(forMs = 0): void {
    this.#felt = Math.max(this.#felt, this.timeline.now + forMs);
  }

  /** Time since anything went wrong, ms. */
  private get calmForMs(): number {
    const last = Math.max(this.#felt, ...this.#until.values());
    return this.timeline.now - last;
  }

  /** All that went wrong has been recovered from. */
  get isCalm(): boolean {
    return this.calmForMs > recoveredAfterMs;
  }

  /** How long a group of the disk takes before and after it is done, and whether it fails. */
  ofDisk(access: 'read' | 'write'): { beforeMs: number; afterMs: number; trouble?: WireError } {
    const { random } = this;
    const slow = this.is('slow disk') && random.chance(0.5) ? random.between(100, 4000) : 0;
    const times = { beforeMs: random.between(0, 3) + slow, afterMs: random.between(0, 2) };
    const share = access === 'write' ? 0.6 : 0.1;
    const failing = (['busy disk', 'failing disk'] as const).find(
      (trouble) => this.is(trouble) && random.chance(share),
    );
    const trouble = failing && errors[failing];
    if (!trouble) return times;
    this.wasFelt();
    return { ...times, trouble };
  }

  /** One way of one message. */
  networkMs(random: Random): number {
    if (this.is('slow network') && random.chance(0.3)) return random.between(50, 1500);
    return random.chance(0.05) ? random.between(5, 80) : random.between(0.2, 5);
  }

  /** What becomes of a unary call. */
  ofCall(random: Random): { isLost: boolean; isAnswerLost: boolean; isTwice: boolean } {
    const share = this.is('lossy calls') ? 0.3 : 0.01;
    return {
      isLost: random.chance(share),
      isAnswerLost: random.chance(share),
      isTwice: random.chance(share),
    };
  }
}
