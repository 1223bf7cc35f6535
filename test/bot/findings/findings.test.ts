import { describe, expect, test } from '@jest/globals';
import { digestOf, Findings } from '../../../src/bot/findings/findings.js';

const input = (content: string | number) => Buffer.from(String(content));

const known = (key: string, hasFrames = true) => ({ key, hasFrames });

describe('findings', () => {
  test('keep at least one input for each distinct crash, however many there are', () => {
    const findings = new Findings();
    for (let key = 0; key < 3000; key++) {
      expect(findings.judge(input(key), known(`key ${key}`))).toEqual({ isKept: true, hits: 1 });
    }
    expect(findings).toMatchObject({ hits: 3000, kept: 3000, distinct: 3000 });
  });

  test('keep three inputs of one distinct crash and count the rest', () => {
    const findings = new Findings();
    const verdicts = Array.from({ length: 10 }, (_, i) => findings.judge(input(i), known('key')));
    expect(verdicts.map(({ isKept }) => isKept).filter(Boolean)).toHaveLength(3);
    expect(findings).toMatchObject({ hits: 10, kept: 3 });
    expect(findings.distinctCounts.get('key')).toEqual({ hits: 10, kept: 3, unsentHits: 7 });
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
    expect(findings.judge(input(2), known('key'))).toEqual({ isKept: true, hits: 2 });
    expect(findings.distinctCounts.get('key')).toEqual({ hits: 3, kept: 2, unsentHits: 0 });
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
