import { describe, expect, test } from '@jest/globals';
import { clipMiddle, composeReport } from '../../../src/bot/findings/evidence.js';
import { OutputRecord } from '../../../src/bot/sandbox/output-record.js';

const outputOf = (text: string) => {
  const record = new OutputRecord();
  record.push(Buffer.from(text));
  return record.take();
};

describe('a report', () => {
  const account = 'MS: 1 CopyPart-; base unit: adc8\nTest unit written to /run/crash-1\n';

  test("has the sanitizer's text after libFuzzer's headline, where the stack belongs", () => {
    const output = `loading ... ==5== ERROR: libFuzzer: deadly signal\nNOTE: x\n${account}`;
    expect(composeReport(outputOf(output), '    #0 0x1 in f /a.c:1')).toBe(
      `loading ... ==5== ERROR: libFuzzer: deadly signal\n    #0 0x1 in f /a.c:1\nNOTE: x\n${account}`,
    );
  });

  test("has it before libFuzzer's account of the input where there is no headline", () => {
    const log = '==5==ERROR: AddressSanitizer: SEGV\n';
    expect(composeReport(outputOf(`loading ... ${account}`), log)).toBe(
      `loading ... \n${log}${account}`,
    );
  });

  test('is the text of the sanitizer alone where nothing was printed', () => {
    expect(composeReport([], 'SEGV\n')).toBe('SEGV\n');
    expect(composeReport([], '')).toBe('');
  });

  test('stays under 128 KiB of UTF-8 with bytes that are no text, and keeps what is last', () => {
    const record = new OutputRecord();
    record.push(Buffer.alloc(300_000, 0xff));
    record.push(Buffer.from(`\nerror here\n${account}`));
    const report = composeReport(record.take(), 'x'.repeat(200_000));
    expect(Buffer.byteLength(report)).toBeLessThanOrEqual(131_072);
    expect(report.isWellFormed()).toBe(true);
    expect(report).toContain('error here');
    expect(report).toMatch(/crash-1\n$/);
  });
});

describe('an output record', () => {
  test('gives back every byte while there is room for it, and begins anew', () => {
    const record = new OutputRecord();
    for (let i = 0; i < 1000; i++) record.push(Buffer.from(`line ${i}\n`));
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join('');
    expect(record.take().map(({ bytes }) => bytes.toString())).toEqual([lines]);
    expect(record.take()).toEqual([]);
  });

  test.each([0, 1, 20_000, 50_000, 500_000, 999_999])(
    'keeps head, tail and what follows byte %i, and counts the rest',
    (pinAt) => {
      const all = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 31) % 251));
      const record = new OutputRecord();
      for (let at = 0; at < all.length; at += 999) {
        const chunk = all.subarray(at, at + 999);
        if (pinAt >= at && pinAt < at + 999) {
          record.push(chunk.subarray(0, pinAt - at));
          record.pin();
          record.push(chunk.subarray(pinAt - at));
        } else record.push(chunk);
      }
      let at = 0;
      let isPinned = false;
      for (const { bytes, omittedBytes } of record.take()) {
        at += omittedBytes;
        expect(bytes.equals(all.subarray(at, at + bytes.length))).toBe(true);
        isPinned ||= at <= pinAt && pinAt < at + bytes.length;
        at += bytes.length;
      }
      expect(at).toBe(all.length);
      expect(isPinned).toBe(true);
    },
  );
});

test('a text that is too long loses its middle', () => {
  const clipped = clipMiddle(`begin${'ü'.repeat(100_000)}end`, 1000);
  expect(Buffer.byteLength(clipped)).toBeLessThanOrEqual(1000);
  expect(clipped).toMatch(/^beginü+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nü+end$/);
});
