import { ArmTurns } from '../../src/state/campaigns/arm-turns.js';
import { type ShareFigures, sharesOf } from '../../src/state/campaigns/shares.js';
import { fadedTo, type RecentSums, rewardOf, trialRuns } from '../../src/store/campaign-sums.js';

/** A start is billed this at least, as settle-run.ts has it. */
const leastBilledMs = 60_000;
const none: RecentSums = { found: 0, hits: 0, ms: 0, runs: 0, stampMs: 0 };

/** A campaign whose runs are dealt by the product's own shares, turns and sums. */
export class Deal {
  readonly #turns = new ArmTurns();
  arms: readonly ShareFigures[];
  billedMs = 0;
  #shares: ReadonlyMap<string, number>;

  constructor(
    builds: number,
    private readonly of: { runMs: number; isEven: boolean },
  ) {
    this.arms = Array.from({ length: builds }, (_, index) => ({
      ...{ build: String(index), recent: none, runMs: of.runMs, trialLeft: trialRuns },
      ...{ pinnedPercent: 0, held: '' },
    }));
    this.#shares = this.#dealt();
  }

  /** The build whose turn it is. */
  take(): number {
    const builds = this.arms.map(({ build }) => build);
    return Number(this.#turns.take(this.#shares, builds, () => this.of.runMs));
  }

  /** A run of a build has ended. */
  ended(index: number, { costMs, hasFound }: { costMs: number; hasFound: boolean }): void {
    const billedMs = Math.max(costMs, leastBilledMs);
    const { runMs } = this.of;
    const builds = this.arms.length;
    this.billedMs += billedMs;
    this.#turns.charge(String(index), billedMs - runMs, this.#shares);
    this.arms = this.arms.map((arm, at) => {
      if (at !== index) return arm;
      const { found, hits, ms, runs, stampMs } = fadedTo(arm.recent, this.billedMs, {
        runMs,
        builds,
      });
      const recent = {
        found: found + rewardOf({ found: hasFound, groups: 0 }),
        hits: hits + (hasFound ? 1 : 0),
        ms: ms + billedMs,
        runs: runs + 1,
        stampMs,
      };
      return { ...arm, recent, trialLeft: Math.max(arm.trialLeft - 1, 0) };
    });
    this.#shares = this.#dealt();
  }

  #dealt(): ReadonlyMap<string, number> {
    const { isEven } = this.of;
    const shares = sharesOf(this.arms, { billedMs: this.billedMs, isEven });
    return new Map([...shares].map(([build, { share }]) => [build, share]));
  }
}
