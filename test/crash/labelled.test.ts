import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { group, type LabelledReport, score } from './labelled/score.js';

/** Reports of `make crash-groups`, collected once: bugs.cc built in many ways. */
const packed = readFileSync(
  new URL('../../../test/crash/labelled/reports.json.gz', import.meta.url),
);
const reports = JSON.parse(gunzipSync(packed).toString()) as LabelledReport[];
const grouped = group(reports, 'bugs');

describe('groups of labelled reports', () => {
  test('are of 40 bugs and more, built in ten ways and more', () => {
    expect(score(grouped).labels).toBeGreaterThanOrEqual(40);
    expect(new Set(grouped.map((one) => one.variant)).size).toBeGreaterThanOrEqual(10);
  });

  test('agree with the bugs over all builds: precision 0.98 and recall 0.95', () => {
    const { precision, recall } = score(grouped);
    expect(precision).toBeGreaterThanOrEqual(0.98);
    expect(recall).toBeGreaterThanOrEqual(0.95);
  });

  test.each([...new Set(grouped.map((one) => one.variant))])('agree within %s', (variant) => {
    const { precision, recall } = score(grouped.filter((one) => one.variant === variant));
    expect(precision).toBeGreaterThanOrEqual(0.98);
    expect(recall).toBeGreaterThanOrEqual(0.95);
  });
});
