import type { Target, TargetBuild } from '../../gen/pandafuzz/v1/target.js';
import { ago } from '../format.js';
import { type TableColumn, table, terminalWidth, whole } from '../table.js';
import { or } from '../words.js';

const targetColumns: readonly TableColumn[] = [
  { name: 'project', shrinks: 'first', leaves: 'same' },
  { name: 'target', shrinks: 'first' },
  'engine',
  { name: 'builds', right: true },
  { name: 'newest' },
  { name: 'registered', right: true },
  { name: 'executable', wide: true },
];

/** As long as lists show a build's SHA-256. */
const shownDigits = 12;

/** Targets for people. `now` is ms since 1970. */
export function targetTable(
  targets: readonly Target[],
  now: number,
  width = terminalWidth(),
): string {
  if (targets.length === 0) return 'no targets: bring some in with "pandafuzz target import"';
  return table(
    targetColumns,
    targets.map(({ project, name, builds, newest }) => [
      project,
      name,
      or(newest?.engine),
      String(builds),
      or(width === whole ? newest?.targetSha256 : newest?.targetSha256.slice(0, shownDigits)),
      ago(newest?.registeredAt, now),
      or(newest?.executable),
    ]),
    width,
  );
}

export const buildTable = (builds: readonly TargetBuild[], now: number): string =>
  table(
    [
      { name: 'build', shrinks: 'first' },
      'engine',
      { name: 'executable', shrinks: 'then', leaves: 'same' },
      { name: 'seeds', leaves: 'same' },
      { name: 'dictionary', leaves: 'same' },
      { right: 'registered' },
    ],
    builds.map((build) => [
      build.targetSha256,
      build.engine,
      or(build.executable),
      or(build.seedsSha256.slice(0, shownDigits)),
      or(build.dictionarySha256.slice(0, shownDigits)),
      ago(build.registeredAt, now),
    ]),
  );
