import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { temporaryFolder } from '../harness.js';
import { Shelf } from '../store/blobs/shelf.js';
import { forAtMost, replaying, stories, storiesLimitMs } from './replaying.js';

/**
 * Random stories of pushes, removals, sweeps and restarts, several of them at the same time,
 * on a real store with small packs: after each step everything that the corpus refers to can
 * be read, and when all is removed and swept, nothing of it is left.
 */

/** Contents that come and go: empty, small, as large as a pack, and with a file of their own. */
const contents = Array.from({ length: 24 }, (_, i) =>
  Buffer.alloc([0, 1, 300, 900, 5000, 70_000][i % 6] as number, `content ${i} `),
);
const universe = contents.filter(
  (one, index) => contents.findIndex((other) => other.equals(one)) === index,
);

const some = fc.uniqueArray(fc.nat(universe.length - 1), { minLength: 1, maxLength: 8 });
const action = fc.oneof(
  { weight: 5, arbitrary: some.map((indexes) => ({ kind: 'push', indexes }) as const) },
  { weight: 3, arbitrary: some.map((indexes) => ({ kind: 'remove', indexes }) as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'sweep', indexes: [] as number[] } as const) },
);
/** Actions of one step begin together. */
const step = fc.oneof(
  { weight: 9, arbitrary: fc.array(action, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant('reopen' as const) },
);
const story = fc.array(step, { minLength: 4, maxLength: 16 });

const contentsOf = (indexes: readonly number[]) =>
  indexes.map((index) => universe[index] as Buffer);

test('nothing that is referred to is ever lost, and nothing else stays', async () => {
  await fc.assert(
    fc.asyncProperty(
      story,
      forAtMost(storiesLimitMs, async (steps) => {
        const shelf = await Shelf.open(temporaryFolder());
        for (const actions of steps) {
          if (actions === 'reopen') {
            await shelf.reopen();
            continue;
          }
          await Promise.all(actions.map((one) => perform(shelf, one)));
          await expectWhole(shelf);
        }
        shelf.remove(universe);
        await shelf.sweep(6);
        expect(shelf.query('SELECT sha256 FROM blobs WHERE refs = 0')).toEqual([]);
        await shelf.store.close();
      }),
    ),
    { ...replaying(), numRuns: stories },
  );
});

async function perform(
  shelf: Shelf,
  { kind, indexes }: { kind: 'push' | 'remove' | 'sweep'; indexes: readonly number[] },
): Promise<void> {
  if (kind === 'push') await shelf.push(contentsOf(indexes));
  else if (kind === 'remove') shelf.remove(contentsOf(indexes));
  else await shelf.sweep(1);
}

async function expectWhole(shelf: Shelf): Promise<void> {
  expect(await shelf.contents()).not.toContain(undefined);
  const wrong = shelf.query(
    `SELECT sha256, refs FROM blobs WHERE refs <>
       (SELECT count(*) FROM corpus_entries WHERE corpus_entries.sha256 = blobs.sha256)
       + (SELECT count(*) FROM artifacts WHERE artifacts.sha256 = blobs.sha256)`,
  );
  expect(wrong).toEqual([]);
}
