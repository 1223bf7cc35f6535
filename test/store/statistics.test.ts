import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { addFigures, addStatistics, fuzzedMs } from '../../src/store/statistics.js';
import { replaying } from '../property/replaying.js';

const part = (some: object) => JSON.stringify(some);

test('executions, time and crashes are added up, the rate is the later, and all else the larger', () => {
  const earlier = {
    executions: 7,
    elapsedMs: 10,
    executionsPerSecond: 3,
    coverage: 9,
    crashHits: 2,
  };
  const later = { executions: 5, elapsedMs: 4, coverage: 8, corpusFiles: 1 };
  expect(addFigures(earlier, later)).toEqual({
    executions: 12,
    elapsedMs: 14,
    executionsPerSecond: 0,
    coverage: 9,
    corpusFiles: 1,
    crashHits: 2,
  });
});

test('what is no figure is of the later attempt that has it', () => {
  expect(addFigures({ notes: ['a'] }, { executions: 1 })).toMatchObject({ notes: ['a'] });
  expect(addFigures({ notes: ['a'] }, { notes: ['b'] })).toMatchObject({ notes: ['b'] });
});

test('attempts without statistics change nothing', () => {
  expect(addStatistics(null, null)).toBeNull();
  expect(addStatistics(part({ executions: 1 }), null)).toBe(part({ executions: 1 }));
  expect(addStatistics(null, part({ executions: 1 }))).toBe(part({ executions: 1 }));
  expect(fuzzedMs(null)).toBe(0);
  expect(fuzzedMs(part({ elapsedMs: 7 }))).toBe(7);
});

test('a sum does not depend on how the attempts are grouped', () => {
  const figures = fc.record(
    { executions: fc.nat(), elapsedMs: fc.nat(), coverage: fc.nat(), crashHits: fc.nat() },
    { requiredKeys: [] },
  );
  const normal = ({ executionsPerSecond: _, ...rest }: Record<string, unknown>) => rest;
  fc.assert(
    fc.property(figures, figures, figures, (a, b, c) => {
      const left = addFigures(addFigures(a, b), c);
      expect(normal(left)).toEqual(normal(addFigures(a, addFigures(b, c))));
    }),
    replaying(),
  );
});
