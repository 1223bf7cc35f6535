import type { Target, TargetBuild } from '../../gen/pandafuzz/v1/target.js';
import { ago } from '../format.js';
import { type TableColumn, table } from '../table.js';
import { or } from '../words.js';

const targetColumns: readonly TableColumn[] = [
  { name: 'project', shrinks: 'first', leaves: 'same' },
  { name: 'target', shrinks: 'first' },
  'engine',
  { name: 'builds', right: true },
  { name: 'newest' },
  { name: 'registered', right: true },
];

/** As long as lists show a build's SHA-256. */
const shownDigits = 12;

/** Targets for people. `now` is ms since 1970. */
export function targetTable(targets: readonly Target[], now: number): string {
  if (targets.length === 0) return 'no targets: bring some in with "pandafuzz target import"';
  return table(
    targetColumns,
    targets.map(({ project, name, builds, newest }) => [
      project,
      name,
      or(newest?.engine),
      String(builds),
      or(newest?.targetSha256.slice(0, shownDigits)),
      ago(newest?.registeredAt, now),
    ]),
  );
}

export const buildTable = (builds: readonly TargetBuild[], now: number): string =>
  table(
    ['build', 'engine', 'executable', 'seeds', 'dictionary', { right: 'registered' }],
    builds.map((build) => [
      build.targetSha256,
      build.engine,
      or(build.executable),
      or(build.seedsSha256.slice(0, shownDigits)),
      or(build.dictionarySha256.slice(0, shownDigits)),
      ago(build.registeredAt, now),
    ]),
  );
