import { describe, expect, test } from '@jest/globals';
import { digestOf, Findings } from '../../../src/bot/findings/findings.js';

const input = (content: string | number) => Buffer.from(String(content));

const known = (key: string, hasFrames = true) => ({ key, hasFrames });

describe('findings', () => {
  test('keep at least one input for each distinct crash, however many there are', () => {
    const findings = new Findings();
    for (let key = 0; key < 3000; key++) {
      expect(findings.judge(input(key), known(`key ${key}`))).toMatchObject({
        isKept: true,
        hits: 1,
      });
    }
    expect(findings).toMatchObject({ hits: 3000, kept: 3000, distinct: 3000 });
  });

  test('keep three inputs of one distinct crash and count the rest', () => {
    const findings = new Findings();
    const verdicts = Array.from({ length: 10 }, (_, i) => findings.judge(input(i), known('key')));
    expect(verdicts.map(({ isKept }) => isKept).filter(Boolean)).toHaveLength(3);
    expect(findings).toMatchObject({ hits: 10, kept: 3 });
    expect(findings.distinctCounts.get('key')).toMatchObject({ hits: 10, kept: 3, unsentHits: 7 });
  });

  test('keep more inputs of what only a message tells apart', () => {
    const findings = new Findings();
    for (let i = 0; i < 20; i++) findings.judge(input(i), known('panic', false));
    expect(findings.kept).toBe(16);
  });

  test('send with an input the hits since the one before', () => {
    const findings = new Findings();
    findings.judge(input(1), known('key'));
    expect(findings.metAgain(digestOf(input(1)))).toBe(true);
    expect(findings.metAgain(digestOf(input(2)))).toBe(false);
    expect(findings.judge(input(2), known('key'))).toMatchObject({ isKept: true, hits: 2 });
    expect(findings.distinctCounts.get('key')).toMatchObject({ hits: 3, kept: 2, unsentHits: 0 });
  });

  test('report hits as totals of the input kept last, once the master knows it', () => {
    const findings = new Findings();
    const { kept: first } = findings.judge(input(1), known('key'));
    for (let i = 0; i < 4; i++) findings.metAgain(digestOf(input(1)));
    expect(findings.pendingHits()).toEqual([]); // the master has no id for it yet
    if (first) first.crashId = 'first';
    const lost = findings.pendingHits();
    expect(lost).toMatchObject([{ crashId: 'first', hits: 5 }]);
    const { kept: second, hits } = findings.judge(input(2), known('key'));
    expect(hits).toBe(1); // the other four belong to the first
    if (second) second.crashId = 'second';
    findings.metAgain(digestOf(input(1)));
    const pending = findings.pendingHits();
    expect(pending).toMatchObject([
      { crashId: 'first', hits: 5 },
      { crashId: 'second', hits: 2 },
    ]);
    for (const { sent } of pending) sent();
    expect(findings.pendingHits()).toEqual([]);
    expect(findings.hits).toBe(7);
  });

  test('keep what could not be read by input, within a bound', () => {
    const findings = new Findings();
    for (let i = 0; i < 300; i++) findings.judge(input(i), known(''));
    expect(findings).toMatchObject({ hits: 300, kept: 256, hasRoomForUnknown: false });
    expect(findings.distinctCounts.size).toBe(0);
    const large = new Findings();
    for (let i = 0; i < 5; i++) large.judge(Buffer.alloc(20 * 2 ** 20, i), known(''));
    expect(large.kept).toBe(3);
  });

  test('count a hit whose input nobody has', () => {
    const findings = new Findings();
    findings.metLost();
    expect(findings).toMatchObject({ hits: 1, kept: 0, distinct: 0 });
  });
});
