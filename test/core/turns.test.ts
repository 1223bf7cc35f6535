import { expect, test } from '@jest/globals';
import { LightSignal } from '../../src/core/signal.js';
import { Turns } from '../../src/core/turns.js';

test('so many run at once, the others in order, and one that is given up takes no turn', async () => {
  const turns = new Turns(2);
  const began: number[] = [];
  const ends: (() => void)[] = [];
  const signals = [0, 1, 2, 3, 4].map(() => new LightSignal());
  const all = signals.map((signal, i) =>
    turns.run(signal, () => {
      began.push(i);
      return new Promise<void>((resolve) => ends.push(resolve));
    }),
  );
  expect(began).toEqual([0, 1]);
  const given = all[2]?.catch((error) => error);
  signals[2]?.abort(new Error('given up'));
  expect(await given).toMatchObject({ message: 'given up' });
  for (let i = 0; i < 4; i++) {
    ends[i]?.();
    await all[i === 0 ? 0 : i === 1 ? 1 : i + 1];
  }
  expect(began).toEqual([0, 1, 3, 4]);
});
