import type { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { count, duration, plain } from '../operator/format.js';
import type { MetGroup } from './ci-news.js';
import { bugs, type Figures, groupTitle } from './progress.js';

export interface CiEnd {
  readonly elapsedMs: number;
  readonly figures: Figures;
  readonly met: readonly MetGroup[];
  readonly folderOf: (group: CrashGroup) => string;
}

/** What was executed, what is new in this build, and what is not. */
export function ciSummary({ elapsedMs, figures, met, folderOf }: CiEnd): string {
  const fresh = met.filter(({ known }) => known === undefined);
  const total =
    `${duration(elapsedMs)}: ${count(figures.executions)} executions, ` +
    `coverage ${count(figures.coverage)}, ${figures.corpusFiles} inputs`;
  return [
    total,
    fresh.length === 0
      ? 'no crash that is new in this build'
      : `${bugs(fresh.length)} new in this build:`,
    ...fresh.map(({ dossier: { group } }) => lines(group, folderOf(group))),
    ...(fresh.length > 0 ? ['each folder has the input and a report.md'] : []),
    ...met.flatMap(({ dossier, known }) =>
      known === undefined ? [] : [`known: ${groupTitle(dossier.group)} (${plain(known)})`],
    ),
  ].join('\n');
}

const lines = (group: CrashGroup, folder: string) =>
  `  ${groupTitle(group)}\n      ${plain(folder)}`;
