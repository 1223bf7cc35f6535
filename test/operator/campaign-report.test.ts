import { expect, test } from '@jest/globals';
import {
  CampaignArm,
  CampaignForecast,
  FuzzingCampaign,
  GetCampaignResponse,
} from '../../src/gen/pandafuzz/v1/campaign_service.js';
import {
  CoverageFile,
  CoverageReport,
  CoverageSums,
} from '../../src/gen/pandafuzz/v1/coverage_service.js';
import { Crash, CrashGroup, StackFrame } from '../../src/gen/pandafuzz/v1/crash.js';
import { CurveInMaking } from '../../src/operator/campaigns/report/curve.js';
import { documentOf } from '../../src/operator/campaigns/report/document.js';
import type { CampaignReport } from '../../src/operator/campaigns/report/gather.js';
import { htmlReport } from '../../src/operator/campaigns/report/html.js';
import { markdownReport } from '../../src/operator/campaigns/report/markdown.js';

const at = new Date('2030-01-31T22:00:00Z');

/** A report in which everything that came from elsewhere is this text. */
function reportWith(text: string, id = text): CampaignReport {
  const made = new Date('2030-01-31T20:00:00Z');
  const campaign = FuzzingCampaign.fromPartial({
    ...{ id, stateReason: text, createdAt: made, runs: 7, cpuSeconds: 9000 },
    spec: { name: text, project: text, targetName: text, arguments: [text], seedsSha256: text },
    arms: [
      CampaignArm.fromPartial({ build: text, engine: text, targetSha256: text, reason: text }),
    ],
  });
  const group = CrashGroup.fromPartial({
    ...{ id, kind: text, topFrame: text, message: text, note: text, targetName: text },
    frames: [StackFrame.fromPartial({ function: text, file: text, line: 4 })],
  });
  const crash = Crash.fromPartial({
    ...{ id, targetName: text, securityWhy: text, report: text },
    stack: [StackFrame.fromPartial({ function: text, file: text, own: true })],
    context: { command: ['target', `-x=${text}`], environment: { A: text }, targetSha256: text },
  });
  const whole = GetCampaignResponse.fromPartial({
    campaign,
    earlierBuilds: [{ build: { name: text, targetSha256: text } }],
    events: [{ kind: text, text }],
    runIds: [id],
    forecast: CampaignForecast.fromPartial({ sentences: [text] }),
  });
  const sums = CoverageSums.fromPartial({ lines: 40, coveredLines: 10 });
  const making = new CurveInMaking(60_000, 'largest');
  for (let minute = 0; minute < 120; minute++) making.add(made.getTime() + minute * 60_000, minute);
  return {
    at,
    whole: { ...whole, campaign },
    figures: {
      curves: [{ figure: 'coverage', engine: text, ...making.curve }],
      ...{ executions: 1_234_567, crashHits: 3 },
    },
    groups: { shown: [{ group, crash }], more: 1000, areMore: true },
    coverage: {
      report: CoverageReport.fromPartial({ sums, at, tools: text, note: text }),
      files: [CoverageFile.fromPartial({ path: text, sums })],
    },
  };
}

const hostile = [
  '<script>alert(1)</script>',
  `"><img src=x onerror=alert(1)>`,
  `' onload='alert(1)`,
  '</style></title></svg><iframe src=//evil.example>',
  '<!--',
  ']]>&lt;b&gt;&#60;b&#62;',
  'a\n\n<b>\n# b\n```\n</code></pre><a href=//evil.example>',
  '\u001b[31m\u202e\u0000',
];

const tags = new Set(
  `html head meta title style body h1 h2 h3 p dl dt dd table thead tbody tr th td pre code svg rect path text`.split(
    ' ',
  ),
);

test('HTML has no tag, script, address or character of what targets wrote', () => {
  for (const text of hostile) {
    const html = htmlReport(documentOf(reportWith(text)));
    const found = [...html.matchAll(/<\/?([^\s>/]*)([^>]*)>/g)].filter(
      ([tag]) => tag !== '<!doctype html>',
    );
    expect(found.map(([, name = '']) => name).filter((name) => !tags.has(name))).toEqual([]);
    const attributes = found.map(([, , rest = '']) => rest).join('\n');
    expect(attributes).not.toMatch(/\b(?:on\w+|href|src|xlink)\s*=/);
    // Without those that open or close tags nothing of it can be markup.
    expect(html.replace(/<\/?[^>]*>/g, '')).not.toMatch(/[<>"]/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
    expect(html).not.toMatch(/[\u0000\u001b\u202e]/);
    expect(html).not.toMatch(/https?:|url\(|@import/);
  }
});

const fences = /^(`{3,})(?:sh|text)\n[\s\S]*?^\1$/gm;

test('Markdown has what targets wrote as text', () => {
  for (const text of hostile) {
    const markdown = markdownReport(documentOf(reportWith(text)));
    const outside = markdown.replace(fences, '');
    expect(outside).not.toMatch(/(?<!\\)<|```|&lt;|&#60;/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
    expect(markdown).not.toMatch(/[\u0000\u001b\u202e]/);
    const headings = outside.match(/^#+ /gm);
    const tables = outside.match(/^\|.*\|$/gm);
    const plainly = markdownReport(documentOf(reportWith('plain'))).replace(fences, '');
    expect(headings).toEqual(plainly.match(/^#+ /gm));
    expect(tables?.length).toBe(plainly.match(/^\|.*\|$/gm)?.length);
  }
});

test('texts from elsewhere are shortened, and of groups that are left out it says how many', () => {
  const report = reportWith('x'.repeat(100_000), '0198c0de');
  expect(htmlReport(documentOf(report)).length).toBeLessThan(40_000);
  expect(markdownReport(documentOf(report))).toContain(
    'There are more than 1000 more: "pandafuzz crash list" shows them.',
  );
  const exact = { ...report, groups: { ...report.groups, more: 3, areMore: false } };
  expect(markdownReport(documentOf(exact))).toContain('There are 3 more: ');
});

test('a report says what ran, in figures and times of one kind', () => {
  const markdown = markdownReport(documentOf(reportWith('png')));
  expect(markdown).toMatch(/^# Campaign png\/png\n\nAs of 2030-01-31 22:00 UTC\.$/m);
  expect(markdown).toMatch(/^- their CPU time: 2\.5 h$/m);
  expect(markdown).toMatch(/^- executions: 1,234,567$/m);
  expect(markdown).toMatch(/^\| coverage by png \| 0 \| 119 \| 119 \| ▁.{38}█ \|$/m);
});

test('a curve of any length has at most 400 points, and keeps its ends, means and gaps', () => {
  const [largest, mean] = [new CurveInMaking(10_000, 'largest'), new CurveInMaking(10_000, 'mean')];
  const values = Array.from({ length: 52_560 }, (_, index) => index);
  // A quarter of it was not measured.
  const measured = values.filter((index) => index < 20_000 || index >= 33_140);
  for (const index of measured) {
    largest.add(index * 10_000, index);
    mean.add(index * 10_000, index % 2);
  }
  const { points, stepMs } = largest.curve;
  expect(points.length).toBeGreaterThan(150);
  expect(points.length).toBeLessThanOrEqual(400);
  expect(points[0]?.time).toBe(0);
  expect(points.at(-1)?.value).toBe(52_559);
  const gaps = points.filter(
    ({ time }, at) => time - (points[at - 1]?.time ?? time) > stepMs * 1.5,
  );
  expect(gaps.map(({ value }) => value)).toHaveLength(1);
  for (const { value } of mean.curve.points) expect(value).toBeCloseTo(0.5, 1);
});

test('a curve that stays where it is, and one of a single point, are drawn', () => {
  const report = reportWith('png');
  for (const many of [1, 5]) {
    const making = new CurveInMaking(1000, 'largest');
    for (let i = 0; i < many; i++) making.add(i * 1000, 7);
    const curve = { figure: 'coverage', engine: 'libfuzzer', ...making.curve } as const;
    const html = htmlReport(
      documentOf({ ...report, figures: { ...report.figures, curves: [curve] } }),
    );
    expect(html).toMatch(/<path d="M64 76h/);
    expect(html).not.toMatch(/NaN|Infinity/);
  }
  const none = { ...report, figures: { ...report.figures, curves: [] } };
  expect(markdownReport(documentOf(none))).toContain('Nothing was measured yet.');
});
