import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { type Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import type { Problem, TargetProgress } from '../../gen/pandafuzz/v1/statistics_service.js';
import { titleOf } from '../crashes/describe.js';
import { count } from '../format.js';
import { crashPages, listCrashGroups } from '../lists.js';
import { shortIds } from '../short-ids.js';
import type { CallOptions } from '../submit.js';
import { groupStatus } from '../words.js';
import type { Event, Tell } from './lines.js';

/** What is looked at again and again, as the master has no stream of it. */

/** Of each in a look: what is found faster than that is not told one by one. */
const most = { groups: 100, crashes: 100, targets: 100 };
/** Of what is known as the watch begins. */
const mostBefore = 10;

interface Look {
  readonly problems: readonly Problem[];
  readonly targets: readonly TargetProgress[];
  /** Newest first. */
  readonly groups: readonly CrashGroup[];
  readonly crashes: readonly Crash[];
}

/** Reads what is, and tells what differs from the look before; at first, what is. */
export class Looks {
  #last: Look | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly project: string,
    private readonly tell: Tell,
  ) {}

  /** @returns whether a crash was met that was not there at the look before */
  async look(options: CallOptions): Promise<boolean> {
    const now = await this.#read(options);
    const before = this.#last;
    this.#last = now;
    if (!before) {
      for (const event of beginning(now)) this.tell(event);
      return false;
    }
    const events = changes(before, now);
    for (const event of events) this.tell(event);
    return events.some(({ kind }) => kind.startsWith('crash'));
  }

  async #read(options: CallOptions): Promise<Look> {
    const { statistics } = this.connection;
    const { project } = this;
    const page = { project, pageSize: most.targets, pageToken: '' };
    const ofAll = { groupId: '', jobId: '' };
    const [{ problems }, { targets }, groups, { items }] = await Promise.all([
      unary(statistics, statistics.listProblems, {}, options),
      unary(statistics, statistics.getProgress, page, options),
      listCrashGroups(this.connection, { project, limit: most.groups }, options),
      crashPages(this.connection, ofAll, options)({ pageSize: most.crashes, pageToken: '' }),
    ]);
    const crashes = items.filter((crash) => project === '' || crash.project === project);
    return { problems, targets, groups, crashes };
  }
}

function beginning({ problems, targets, groups }: Look): Event[] {
  const open = groups.slice(0, mostBefore).reverse();
  return [
    ...targets.map((target) => healthEvent(target)),
    ...open.map((group) => groupEvent(group, 'crash_group', group.firstFoundAt)),
    ...problems.map((problem) => problemEvent(problem)),
  ].map((event) => ({ ...event, before: true }));
}

function changes(before: Look, now: Look): Event[] {
  const wrong = new Map(before.problems.map((one) => [problemKey(one), one]));
  const isWrong = new Set(now.problems.map(problemKey));
  const groups = new Map(before.groups.map((group) => [group.id, group]));
  const newest = before.crashes[0]?.id ?? '';
  const firstOfGroups = new Set<string>();
  const ofGroups = now.groups
    .filter(({ id }) => id > (before.groups[0]?.id ?? ''))
    .map((group) => {
      firstOfGroups.add(group.id);
      return groupEvent(group, 'crash_group.new', group.firstFoundAt);
    });
  const ofOld = now.groups.flatMap((group) => {
    const old = groups.get(group.id);
    if (!old || groupStatus(old) === groupStatus(group)) return [];
    return [groupEvent(group, `crash_group.${groupStatus(group)}`, undefined)];
  });
  return [
    ...targetChanges(before.targets, now.targets),
    ...[...ofGroups].reverse(),
    ...ofOld,
    // Of a new group, the first crash is told with it.
    ...now.crashes
      .filter(({ id, groupId }) => id > newest && !firstOfGroups.has(groupId))
      .map(crashEvent)
      .reverse(),
    ...now.problems.filter((one) => !wrong.has(problemKey(one))).map(problemEvent),
    ...before.problems.filter((one) => !isWrong.has(problemKey(one))).map(overEvent),
  ];
}

function targetChanges(before: readonly TargetProgress[], now: readonly TargetProgress[]): Event[] {
  const old = new Map(before.map((target) => [nameOf(target), target]));
  return now.flatMap((target) => {
    const was = old.get(nameOf(target));
    if (!was) return [healthEvent(target)];
    const isFind = (target.lastFindAt?.getTime() ?? 0) > (was.lastFindAt?.getTime() ?? 0);
    return [
      ...(isFind ? [findEvent(was, target)] : []),
      ...(was.health === target.health ? [] : [healthEvent(target)]),
    ];
  });
}

/** The default project goes without saying. */
const nameOf = ({ project, name }: { project: string; name: string }): string =>
  project === '' || project === 'default' ? name : `${project}/${name}`;

const ofTarget = ({ project, name }: TargetProgress) => ({ project, target: name });

const healthEvent = (target: TargetProgress): Event => ({
  time: new Date(),
  kind: 'target',
  text: `${nameOf(target)}: ${target.reason}`,
  more: { ...ofTarget(target), running: target.running, pending: target.pending },
});

function findEvent(was: TargetProgress, target: TargetProgress): Event {
  const coverage = target.engines[0]?.coverage ?? 0;
  const gained = coverage - (was.engines[0]?.coverage ?? 0);
  const by = gained > 0 ? `, ${count(gained)} more` : '';
  return {
    time: target.lastFindAt ?? new Date(),
    kind: 'find',
    text: `${nameOf(target)}: coverage ${count(coverage)}${by}`,
    more: { ...ofTarget(target), coverage, gained },
  };
}

const groupEvent = (group: CrashGroup, kind: string, time: Date | undefined): Event => ({
  time: time ?? new Date(),
  kind,
  text: `${titleOf(group)}, ${nameOf({ project: group.project, name: group.targetName })}, group ${shortId(group.id)}`,
  isBad: kind === 'crash_group.new' || kind === 'crash_group.reopened',
  more: { group: CrashGroup.toJSON(group) },
});

const crashEvent = (crash: Crash): Event => ({
  time: crash.foundAt ?? new Date(),
  kind: 'crash',
  text: `${crash.kind} in ${crash.topFrame}, ${nameOf({ project: crash.project, name: crash.targetName })}, crash ${shortId(crash.id)}`,
  isBad: true,
  more: { crashId: crash.id, groupId: crash.groupId, jobId: crash.jobId, botId: crash.botId },
});

/** Its sentence has figures that change. */
const problemKey = ({ kind, object }: Problem): string => `${kind} ${object}`;

const shortId = (id: string) => shortIds([id])(id);

const textOf = ({ object, sentence }: Problem): string => `${object}: ${sentence}`;

const problemEvent = (problem: Problem): Event => ({
  time: problem.since ?? new Date(),
  kind: 'wrong',
  text: `${textOf(problem)}${problem.remedy === '' ? '' : `; ${problem.remedy}`}`,
  isBad: problem.isBad,
  more: { object: problem.object, ids: problem.ids },
});

const overEvent = (problem: Problem): Event => ({
  time: new Date(),
  kind: 'over',
  text: textOf(problem),
  more: { object: problem.object, ids: problem.ids },
});
