import type { Crash, CrashDecision, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import type { CrashMove, GroupBuild } from '../../gen/pandafuzz/v1/crash_service.js';
import { ago, bytes, count, duration } from '../format.js';
import { shortIds } from '../short-ids.js';
import { idsFor, type TableColumn, table, terminalWidth } from '../table.js';
import { groupStatus, or } from '../words.js';
import { crashPlaces, groupPlaces } from './look-alikes.js';

/** Lists of what was found, for people. `now` is ms since 1970. */

const age = (time: Date | undefined, now: number) => (time ? duration(now - time.getTime()) : '-');

/** Statuses may be missed only where nobody has set one. */
const groupColumns = (areNew: boolean): readonly TableColumn[] => [
  'group',
  { name: 'status', tone: true, ...(areNew && { leaves: 'same' }) },
  { name: 'kind', shrinks: 'then' },
  { name: 'where', shrinks: 'then' },
  { name: 'project', shrinks: 'first', leaves: 'same' },
  { name: 'target', shrinks: 'first', leaves: 'same' },
  { name: 'security', leaves: 'narrow', tone: true },
  { name: 'hits', right: true },
  { name: 'kept', right: true },
  { name: 'first', right: true, leaves: 'narrow' },
  { name: 'last', right: true },
  { name: 'note', wide: true },
];

interface GroupTable {
  /** Further groups that a row must not look like. */
  readonly beside?: readonly CrashGroup[];
  readonly width?: number | undefined;
}

export function groupTable(
  groups: readonly CrashGroup[],
  now: number,
  { beside = [], width = terminalWidth() }: GroupTable = {},
): string {
  const short = idsFor(
    width,
    [...groups, ...beside].map(({ id }) => id),
  );
  const places = groupPlaces([...groups, ...beside]);
  const statuses = groups.map(groupStatus);
  const rows = groups.map((group, index) => [
    short(group.id),
    statuses[index] ?? '',
    group.kind,
    places[index] ?? '',
    group.project,
    group.targetName,
    group.security ? 'yes' : '-',
    count(group.crashHits),
    count(group.crashInputsKept),
    age(group.firstFoundAt, now),
    age(group.lastFoundAt, now),
    or(group.note),
  ]);
  return table(groupColumns(statuses.every((status) => status === 'new')), rows, width);
}

const crashColumns: readonly TableColumn[] = [
  'crash',
  { name: 'kind', shrinks: 'then', leaves: 'same' },
  { name: 'where', shrinks: 'then', leaves: 'same' },
  { name: 'job', leaves: 'same' },
  { name: 'input', right: true },
  { name: 'hits', right: true },
  { name: 'reproduced', right: true, leaves: 'narrow' },
  { name: 'found', right: true, tone: true },
  { name: 'input sha256', wide: true },
];

export function crashTable(
  crashes: readonly Crash[],
  now: number,
  width = terminalWidth(),
): string {
  if (crashes.length === 0) return 'no crashes';
  // A crash must not be taken for its group, whose id may begin as its first crash's does.
  const groupIds = crashes.map(({ groupId }) => groupId);
  const short = idsFor(
    width,
    crashes.map(({ id }) => id),
    groupIds,
  );
  const shortJob = idsFor(
    width,
    crashes.map(({ jobId }) => jobId),
  );
  const places = crashPlaces(crashes);
  const rows = crashes.map((crash, index) => [
    short(crash.id),
    crash.kind,
    places[index] ?? '',
    shortJob(crash.jobId),
    bytes(crash.inputSizeBytes),
    count(crash.hits),
    reproducedOf(crash),
    age(crash.foundAt, now) + (crash.late ? ' (late)' : ''),
    crash.inputSha256,
  ]);
  return table(crashColumns, rows, width);
}

/** "5 of 5", of the newest reproduction. */
function reproducedOf({ reproductions: [newest] }: Crash): string {
  return newest ? `${newest.crashes} of ${newest.runs}` : '-';
}

export function buildTable(builds: readonly GroupBuild[], now: number): string {
  return table(
    ['build', { right: 'hits' }, { right: 'last met' }, { right: 'tried' }, 'then'],
    builds.map((build) => [
      build.targetSha256.slice(0, 16),
      count(build.hits),
      ago(build.lastMetAt, now),
      ago(build.verifiedAt, now),
      build.verifiedAt ? outcomeOf(build) : '-',
    ]),
  );
}

const outcomeOf = ({ crashes }: GroupBuild) => (crashes ? 'it crashed' : 'it did not crash');

export function decisionTable(
  decisions: readonly CrashDecision[],
  now: number,
  width = terminalWidth(),
): string {
  if (decisions.length === 0) return 'no decisions';
  const short = idsFor(
    width,
    decisions.map(({ id }) => id),
  );
  const shortGroup = idsFor(
    width,
    decisions.flatMap(({ groupId, toGroupId }) => [groupId, toGroupId]),
  );
  return table(
    [
      'decision',
      'kind',
      'from',
      'into',
      { name: 'crashes', right: true, leaves: 'narrow' },
      { name: 'by', shrinks: 'first' },
      { name: 'age', right: true, leaves: 'narrow' },
      { name: 'undone', right: true, leaves: 'same' },
    ],
    decisions.map((one) => [
      short(one.id),
      one.kind,
      shortGroup(one.groupId),
      shortGroup(one.toGroupId),
      count(one.crashes),
      or(one.by),
      age(one.at, now),
      age(one.undoneAt, now),
    ]),
    width,
  );
}

export function moveTable(moves: readonly CrashMove[]): string {
  const short = shortIds(moves.map(({ crashId }) => crashId));
  const shortGroup = shortIds(
    moves.flatMap(({ fromGroupId, toGroupId }) => [fromGroupId, toGroupId || fromGroupId]),
  );
  return table(
    ['crash', 'from', 'to'],
    moves.map(({ crashId, fromGroupId, toGroupId }) => [
      short(crashId),
      shortGroup(fromGroupId),
      toGroupId === '' ? 'a new group' : shortGroup(toGroupId),
    ]),
  );
}
