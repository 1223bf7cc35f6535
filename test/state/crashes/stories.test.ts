import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DomainError } from '../../../src/core/errors.js';
import { atEnd } from '../../harness.js';
import { forAtMost, replaying, stories, storiesLimitMs } from '../../property/replaying.js';
import { Scene, scripted } from './scene.js';

/**
 * Random stories of crashes and decisions: whatever people decide, crashes and figures
 * are all there, a regrouping moves nothing, and undoing everything leads back.
 */
type Step =
  | { readonly kind: 'crash'; readonly signature: string; readonly line: number }
  | { readonly kind: 'merge'; readonly from: number; readonly into: number }
  | { readonly kind: 'split'; readonly group: number; readonly which: number }
  | { readonly kind: 'undo'; readonly which: number };

const pick = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      signature: fc.constantFrom('a', 'b', 'c'),
      line: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('merge' as const), from: pick, into: pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('split' as const), group: pick, which: pick }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo' as const), which: pick }) },
);

const at = <T>(all: readonly T[], index: number): T | undefined =>
  all.length === 0 ? undefined : all[index % all.length];

/** A story under way, with what it has made. */
class Told {
  readonly crashes: { id: string; signature: string }[] = [];
  readonly decisions: string[] = [];

  constructor(
    readonly scene: Scene,
    readonly lease: Awaited<ReturnType<Scene['lease']>>,
  ) {}

  async tell(next: Step): Promise<void> {
    try {
      await this.#tell(next);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error; // refused, and nothing was done
    }
  }

  async #tell(next: Step): Promise<void> {
    const groups = await this.scene.together();
    if (next.kind === 'crash') {
      const report = `v2=${next.signature}/${next.line}`;
      const { crashId } = await this.scene.crash(this.lease, report);
      this.crashes.push({ id: crashId, signature: next.signature });
    } else if (next.kind === 'merge') {
      const [from, into] = [at(groups, next.from)?.[0], at(groups, next.into)?.[0]];
      if (!from || !into) return;
      const ids = [await this.scene.groupOf(from), await this.scene.groupOf(into)] as const;
      const { decisions } = await this.scene.merge([ids[0]], ids[1]);
      this.decisions.push(...decisions.map(({ id }) => id));
    } else if (next.kind === 'split') {
      const group = at(groups, next.group);
      const crash = group && at(group, next.which);
      if (!crash) return;
      const { decision } = await this.scene.split(await this.scene.groupOf(crash), [crash]);
      if (decision) this.decisions.push(decision.id);
    } else {
      const id = at(this.decisions, next.which);
      if (id) await this.#undo(id);
    }
  }

  async #undo(id: string): Promise<void> {
    await this.scene.undo(id);
    this.decisions.splice(this.decisions.indexOf(id), 1);
  }

  /** The newest first, as later ones have to be undone before those they are about. */
  async undoAll(): Promise<void> {
    for (const id of [...this.decisions].sort().reverse()) await this.#undo(id);
  }

  /** Crashes and figures are all there, and each group's are its crashes'. */
  async expectWhole(): Promise<void> {
    const groups = await this.scene.groups({ pageSize: 1000 });
    const together = await this.scene.together();
    const sizes = (counts: number[]) => counts.sort((a, b) => a - b);
    expect(sizes(groups.map(({ count }) => count))).toEqual(sizes(together.map((g) => g.length)));
    expect(together.flat().sort()).toEqual(this.crashes.map(({ id }) => id).sort());
    const hits = groups.reduce((sum, { crashHits }) => sum + crashHits, 0);
    expect(await this.scene.stats()).toMatchObject({
      crashHits: hits,
      crashGroups: groups.length,
      crashInputsKept: this.crashes.length,
    });
  }
}

test(
  'whatever is decided, nothing is lost, and all of it can be undone',
  async () => {
    let open: Scene | undefined;
    atEnd(() => open?.state.stop());
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 30 }),
        forAtMost(storiesLimitMs, async (steps) => {
          await open?.state.stop();
          open = await Scene.open(scripted(2));
          const told = new Told(open, await open.lease(await open.build('one')));
          for (const next of steps) await told.tell(next);
          await told.expectWhole();
          expect((await open.regroup(true)).moves).toEqual([]);
          await told.undoAll();
          await told.expectWhole();
          expect((await open.regroup(true)).moves).toEqual([]);
          const signatures = new Set(told.crashes.map(({ signature }) => signature));
          expect(await open.together()).toHaveLength(signatures.size);
        }),
      ),
      { ...replaying(), numRuns: stories },
    );
  },
  12_000 * stories,
);
