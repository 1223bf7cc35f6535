import { join } from 'node:path';
import type { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { count, duration, plain } from '../operator/format.js';
import { bugs, type Figures, groupTitle } from './progress.js';

export interface SessionEnd {
  /** Does the same again. */
  readonly command: string;
  readonly folder: string;
  readonly elapsedMs: number;
  readonly figures: Figures;
  /** In this session, and in those before it. */
  readonly found: readonly CrashGroup[];
  readonly known: readonly CrashGroup[];
  readonly folderOf: (group: CrashGroup) => string;
}

/** What was found, where it lies, and how to go on. */
export function summary({ command, folder, elapsedMs, figures, ...rest }: SessionEnd): string {
  const { found, known, folderOf } = rest;
  const total =
    `${duration(elapsedMs)}: ${count(figures.executions)} executions, ` +
    `coverage ${count(figures.coverage)}, ${figures.corpusFiles} inputs`;
  const before = known.length === 0 ? '' : ` (${bugs(known.length)} of earlier sessions as well)`;
  const list = found.map((group) => `  ${groupTitle(group)}\n      ${plain(folderOf(group))}`);
  return [
    total,
    found.length === 0 ? `no new bug${before}` : `${bugs(found.length)} found${before}:`,
    ...list,
    ...(found.length > 0
      ? ['', 'each folder has the input and a report.md, which says how to run it again']
      : []),
    '',
    'how to go on:',
    `  from here    ${plain(command)}`,
    `  look closer  PANDAFUZZ_DATA_DIRECTORY=${plain(join(folder, 'master'))} pandafuzz master`,
    '               and in another terminal: pandafuzz crash list',
  ].join('\n');
}
