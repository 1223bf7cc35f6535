import { writeFile } from 'node:fs/promises';
import { UserError } from '../../core/errors.js';
import { grouped } from '../../core/figures.js';
import {
  type CoverageFile,
  type CoverageLine,
  type GetCoverageResponse,
  LineChange,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import { escaped } from '../campaigns/report/escape.js';
import { htmlDocument } from '../campaigns/report/html-document.js';
import { many } from '../crashes/describe.js';
import { plain } from '../format.js';
import { checkOutputFile, replaceFile } from '../output-file.js';
import { asking } from '../session.js';
import { type GetFlags, readCoverage, readLines } from './show.js';
import { changeOf, comparison, coverageKey, linesOf, part, share } from './words.js';

/** `pandafuzz coverage get --html`: a report with its sources as one file, without scripts. */

export function writeHtml(
  flags: GetFlags & { readonly html: string; readonly force?: boolean },
  targetName: string,
): Promise<void> {
  return asking(flags, async (connection, options) => {
    await checkOutputFile(flags.html, flags.force ?? false);
    const key = coverageKey(flags, targetName);
    const asked = { ...options, reportId: flags.report ?? 0 };
    const answer = await readCoverage(connection, key, asked);
    if (!answer.report) throw new UserError(`${targetName} has no coverage report yet`);
    const reportId = answer.report.id;
    const files: string[] = [];
    for (const [index, file] of answer.files.entries()) {
      const lines = await readLines(connection, { ...key, reportId, path: file.path }, options);
      files.push(fileSection(file, lines, index));
    }
    await replaceFile(flags.html, (path) => writeFile(path, page(targetName, answer, files)));
    process.stderr.write(`${plain(`${flags.html}: ${many(answer.files.length, 'file')}`)}\n`);
  });
}

function page(target: string, { report, files }: GetCoverageResponse, sections: string[]): string {
  const title = `Source coverage of ${target}`;
  const sums = report?.sums;
  const facts: [string, string][] = [
    ['made', `${report?.at?.toISOString() ?? ''} by ${report?.tools}`],
    ['inputs', grouped(report?.inputs ?? 0)],
    ['lines', linesOf(sums)],
    ['functions', part(sums?.coveredFunctions ?? 0, sums?.functions ?? 0)],
    ['regions', part(sums?.coveredRegions ?? 0, sums?.regions ?? 0)],
    ['beside the last', report ? comparison(report) : ''],
    ...(report?.note ? [['missing', report.note] as [string, string]] : []),
  ];
  const rows = files.map(fileRow).join('\n');
  const body = `<h1>${escaped(title)}</h1>
<dl>${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('\n')}</dl>
<table>
<thead><tr><th>file</th><th class="r">lines</th><th class="r">covered</th><th class="r">change</th></tr></thead>
<tbody>
${rows}
</tbody>
</table>
${sections.join('\n')}`;
  return htmlDocument({ title, style, body });
}

const style = `
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid #d0d7de; }
.r { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .1rem 1rem; }
dd { margin: 0; }
pre { margin: 0; padding: .5rem; overflow-x: auto; font-size: 13px; line-height: 1.35; }
pre span { display: block; }
.ran { background: #dafbe1; }
.not { background: #ffebe9; }
.new { box-shadow: inset 3px 0 #1a7f37; }
.lost { box-shadow: inset 3px 0 #cf222e; }
summary { cursor: pointer; padding: .4rem 0; }
`;

const fileRow = ({ path, sums, change }: CoverageFile, index: number): string =>
  `<tr><td><a href="#f${index}">${escaped(path)}</a></td><td class="r">${grouped(sums?.lines ?? 0)}</td><td class="r">${share(sums?.coveredLines ?? 0, sums?.lines ?? 0)}</td><td class="r">${escaped(changeOf(change))}</td></tr>`;

function fileSection(file: CoverageFile, lines: readonly CoverageLine[], index: number): string {
  const about = file.hasSource ? '' : '<p>Its source is not in the bundle.</p>';
  return `<details id="f${index}"><summary>${escaped(file.path)}: ${escaped(linesOf(file.sums))}</summary>
${about}<pre>${lines.map(lineOf).join('')}</pre></details>`;
}

/** Beside the colour stand the count and a sign, for those who do not see colours. */
function lineOf({ number, count, text, change }: CoverageLine): string {
  const ran = count === undefined ? '' : count > 0 ? 'ran' : 'not';
  const changed = { [LineChange.NEW]: 'new', [LineChange.LOST]: 'lost' } as const;
  const news = change === LineChange.NEW || change === LineChange.LOST ? changed[change] : '';
  const sign = news === 'new' ? '+' : news === 'lost' ? '-' : ' ';
  const times = count === undefined ? '' : grouped(count);
  const words = `${String(number).padStart(6)} ${times.padStart(10)} ${sign}| `;
  const source = escaped(text.replaceAll('\t', '    '));
  return `<span class="${[ran, news].filter(Boolean).join(' ')}">${words}${source}</span>`;
}
