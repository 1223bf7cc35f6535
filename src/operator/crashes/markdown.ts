import { inputFile, replayLine } from '../../core/replay.js';
import { plain, plainLines } from '../format.js';
import { crashFacts, type Facts, groupFacts, stackLines, titleOf } from './describe.js';
import type { Dossier } from './dossier.js';

/** Reports in Markdown. What targets wrote stands in it as text, and cannot become markup. */

/** The part of one group. */
export function groupSection(dossier: Dossier, now: number): string {
  const { group, crash, similar } = dossier;
  return [
    `## ${text(titleOf(group))}`,
    list(groupFacts(dossier, now)),
    '### Stack',
    "Frames with a star are the target's own.",
    fenced(stackLines(crash).join('\n') || 'none was read'),
    '### How to reproduce',
    fenced(howTo(dossier), 'sh'),
    list(crashFacts(crash, now)),
    ...(similar.length > 0
      ? ['### Similar groups', list(similar.map((one) => [one.id, titleOf(one)]))]
      : []),
    '### Report',
    fenced(crash.report.trimEnd() || 'none'),
  ].join('\n\n');
}

function howTo({ crash }: Dossier): string {
  const download = `pandafuzz crash download ${crash.id} -o ${inputFile}`;
  return [download, replayLine(crash, inputFile)].join('\n');
}

const list = (facts: Facts) =>
  facts
    .map(([name, value]) => `- ${text(name)}: ${value.split('\n').map(text).join('; ')}`)
    .join('\n');

/** Text without anything that Markdown or HTML gives a meaning to within a line. */
export const text = (given: string): string =>
  plain(given)
    .replace(/[\\`*[\]<|~$]/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replace(/^[-+#>]/, '\\$&');

/** A block of code, with a fence that does not occur in it. */
export function fenced(code: string, language = 'text'): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${plainLines(code)}\n${fence}`;
}
