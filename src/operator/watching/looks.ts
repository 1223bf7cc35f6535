import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { inProject } from '../../core/project.js';
import { type Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import type { Problem, TargetProgress } from '../../gen/pandafuzz/v1/statistics_service.js';
import { titleOf } from '../crashes/describe.js';
import { count } from '../format.js';
import { crashPages, groupPages } from '../lists.js';
import type { CallOptions } from '../submit.js';
import { groupStatus } from '../words.js';
import { crashEvent, shortId, tooManyCrashes } from './job-events.js';
import type { Event, Tell } from './lines.js';
import { Seen } from './seen.js';

/** What is looked at again and again, as the master has no stream of it. */

const most = { groups: 100, targets: 100 };
/** Of what is known as the watch begins. */
const mostBefore = 10;
/** Groups whose first crash is yet to be read. */
const mostFirsts = 1000;
/** Kinds that `--until-crash` waits for. */
const met = new Set(['crash', 'crash.more', 'crash_group.new', 'crash_group.reopened']);

interface Look {
  readonly problems: readonly Problem[];
  readonly targets: readonly TargetProgress[];
  /** Newest first. */
  readonly groups: readonly CrashGroup[];
}

interface New {
  readonly groups: readonly CrashGroup[];
  readonly crashes: readonly Crash[];
  readonly isCut: boolean;
}

/** Reads what is, and tells what differs from the look before; at first, what is. */
export class Looks {
  #last: Look | undefined;
  readonly #groups = new Seen<CrashGroup>();
  readonly #crashes = new Seen<Crash>();
  /** When the first crash of a group was found that was told as new. */
  readonly #firsts = new Map<string, number>();

  constructor(
    private readonly connection: Connection,
    private readonly project: string,
    private readonly tell: Tell,
  ) {}

  /** @returns whether a crash was met that was not there at the look before */
  async look(options: CallOptions): Promise<boolean> {
    const { now, found } = await this.#read(options);
    const before = this.#last;
    this.#last = now;
    if (!before) {
      for (const event of beginning(now)) this.tell(event);
      return false;
    }
    const events = [
      ...targetChanges(before.targets, now.targets),
      ...this.#newGroups(found),
      ...statusChanges(before.groups, now.groups),
      ...this.#newCrashes(found),
      ...problemChanges(before.problems, now.problems),
    ];
    for (const event of events) this.tell(event);
    return events.some(({ kind }) => met.has(kind));
  }

  async #read(options: CallOptions): Promise<{ now: Look; found: New }> {
    const { connection, project } = this;
    const { statistics } = connection;
    const ofAll = { groupId: '', jobId: '' };
    const page = { project, pageSize: most.targets, pageToken: '' };
    const [{ problems }, { targets }] = await Promise.all([
      unary(statistics, statistics.listProblems, {}, options),
      unary(statistics, statistics.getProgress, page, options),
    ]);
    // Groups are read after crashes, so that each crash has its group. What a call that fails
    // has read already is new again next time: nothing is remembered before all are read.
    const pages = groupPages(connection, { project }, options);
    const crashes = await this.#crashes.read(crashPages(connection, ofAll, options));
    const fresh = await this.#groups.read(pages);
    const { items: groups } = await pages({ pageSize: most.groups, pageToken: '' });
    crashes.keep();
    fresh.keep();
    const isOurs = (crash: Crash) => project === '' || crash.project === project;
    const found = {
      groups: fresh.items,
      crashes: crashes.items.filter(isOurs),
      isCut: crashes.isCut,
    };
    return { now: { problems, targets, groups }, found };
  }

  #newGroups({ groups }: New): Event[] {
    for (const { id, firstFoundAt } of groups) {
      if (this.#firsts.size < mostFirsts) this.#firsts.set(id, firstFoundAt?.getTime() ?? 0);
    }
    return groups
      .map((group) => groupEvent(group, 'crash_group.new', group.firstFoundAt))
      .reverse();
  }

  /** The first crash of a new group is told with it. */
  #newCrashes({ crashes, isCut }: New): Event[] {
    const told = crashes.toReversed().filter(({ groupId, foundAt }) => {
      const isFirst = this.#firsts.get(groupId) === foundAt?.getTime();
      if (isFirst) this.#firsts.delete(groupId);
      return !isFirst;
    });
    const events = told.map((crash) =>
      crashEvent(crash, inProject(crash.project, crash.targetName)),
    );
    return isCut ? [...events, tooManyCrashes(events.length)] : events;
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

function statusChanges(before: readonly CrashGroup[], now: readonly CrashGroup[]): Event[] {
  const groups = new Map(before.map((group) => [group.id, group]));
  return now.flatMap((group) => {
    const old = groups.get(group.id);
    if (!old || groupStatus(old) === groupStatus(group)) return [];
    return [groupEvent(group, `crash_group.${groupStatus(group)}`, undefined)];
  });
}

function problemChanges(before: readonly Problem[], now: readonly Problem[]): Event[] {
  const was = new Set(before.map(problemKey));
  const is = new Set(now.map(problemKey));
  return [
    ...now.filter((one) => !was.has(problemKey(one))).map(problemEvent),
    ...before.filter((one) => !is.has(problemKey(one))).map(overEvent),
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

const nameOf = ({ project, name }: TargetProgress): string => inProject(project, name);

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
  text: `${titleOf(group)}, ${inProject(group.project, group.targetName)}, group ${shortId(group.id)}`,
  isBad: kind === 'crash_group.new' || kind === 'crash_group.reopened',
  more: { group: CrashGroup.toJSON(group) },
});

/** Its sentence has figures that change. */
const problemKey = ({ kind, object }: Problem): string => `${kind} ${object}`;

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
