import { expect, test } from '@jest/globals';
import { Bag } from '../../src/core/bag.js';

interface Named {
  readonly name: string;
  place: number;
}

function bagOf(...names: string[]) {
  const bag = new Bag<Named>();
  const items = names.map((name): Named => ({ name, place: -1 }));
  for (const item of items) bag.add(item);
  return { bag, items };
}

const namesIn = (bag: Bag<Named>) => [...bag].map(({ name }) => name).sort();

test('what is taken out of a bag is gone, and all else stays, in whatever order', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const order of permutationsOf(names)) {
    const { bag, items } = bagOf(...names);
    const left = new Set(names);
    for (const name of order) {
      bag.remove(items.find((item) => item.name === name) as Named);
      left.delete(name);
      expect({ order, left: namesIn(bag), size: bag.size }).toEqual({
        order,
        left: [...left],
        size: left.size,
      });
    }
  }
});

test('a bag may be emptied while it is gone through', () => {
  const { bag } = bagOf('a', 'b', 'c');
  const seen: string[] = [];
  for (const item of bag) {
    seen.push(item.name);
    bag.remove(item);
  }
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(bag.size).toBe(0);
});

function permutationsOf(names: readonly string[]): string[][] {
  if (names.length === 0) return [[]];
  return names.flatMap((name) =>
    permutationsOf(names.filter((other) => other !== name)).map((rest) => [name, ...rest]),
  );
}
