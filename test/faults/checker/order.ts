import { JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { done } from '../history/operation.js';
import { type Evidence, isInGap, type Violation } from './evidence.js';

/** What an answer says about one job. */
interface Sight {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Undefined: only that it is there. */
  readonly state?: number;
  readonly fence?: number;
  /** It is of a result, and names the fence that the result had. */
  readonly isOfResult?: boolean;
}

const final: ReadonlySet<number | undefined> = new Set([
  JobState.COMPLETED,
  JobState.CANCELLED,
  JobState.DEAD,
]);

/**
 * Answers agree with real time: what was asked after an answer had come is not older than that
 * answer. Of a job that nobody revives, fences never fall, and an end is the end.
 */
export function disorder(evidence: Evidence): Violation[] {
  // Answers of a time that is gone say nothing.
  const operations = evidence.operations.filter((each) => !isInGap(each, evidence.gap));
  const sights = new Map<string, Sight[]>();
  const see = (jobId: string, sight: Sight) => {
    const seen = sights.get(jobId);
    if (seen) seen.push(sight);
    else sights.set(jobId, [sight]);
  };
  for (const { request, answer, ...times } of done(operations, 'read')) {
    see(request.jobId, { ...times, ...answer });
  }
  for (const { request, answer, ...times } of done(operations, 'done')) {
    const { jobId, fence } = request.lease;
    see(jobId, { ...times, state: answer.state, fence, isOfResult: true });
  }
  for (const { request, answer, ...times } of done(operations, 'cancel')) {
    see(request.jobId, { ...times, state: answer.state });
  }
  return [
    ...[...sights].flatMap(([jobId, seen]) => disorderOf(jobId, seen)),
    ...missingFromLists(operations),
  ];
}

function disorderOf(jobId: string, sights: readonly Sight[]): Violation[] {
  const found: Violation[] = [];
  const byAnswer = sights.toSorted((a, b) => a.answeredAt - b.answeredAt);
  let fence = 0;
  let end: number | undefined;
  let next = 0;
  for (const sight of sights.toSorted((a, b) => a.askedAt - b.askedAt)) {
    // All that was known when this was asked.
    for (; (byAnswer[next]?.answeredAt ?? Number.POSITIVE_INFINITY) < sight.askedAt; next++) {
      fence = Math.max(fence, byAnswer[next]?.fence ?? 0);
      if (final.has(byAnswer[next]?.state)) end = byAnswer[next]?.state;
    }
    const isOlder = sight.state !== undefined && end !== undefined && sight.state !== end;
    // A result of an earlier lease that is asked again gets the same receipt.
    const isRepeated =
      isOlder && final.has(end) && sight.fence !== undefined && sight.fence < fence;
    const what = `job ${jobId}: state ${sight.state}, fence ${sight.fence} after ${end}, ${fence}`;
    if (isOlder && !isRepeated) found.push({ rule: 'order', what });
  }
  return [...found, ...fallingFences(jobId, byAnswer)];
}

/** Of reads: a result of an earlier lease, asked again, names that lease. */
function fallingFences(jobId: string, byAnswer: readonly Sight[]): Violation[] {
  const found: Violation[] = [];
  let highest: Sight | undefined;
  for (const sight of byAnswer) {
    const known = highest?.fence ?? 0;
    const isOpen = sight.state !== undefined && !final.has(sight.state);
    if (isOpen && !sight.isOfResult && sight.fence !== undefined && sight.fence < known) {
      if ((highest?.answeredAt ?? 0) >= sight.askedAt) continue;
      found.push({ rule: 'order', what: `job ${jobId}: fence ${sight.fence} after ${known}` });
    }
    if ((sight.fence ?? 0) > known) highest = sight;
  }
  return found;
}

/** A list holds the newest jobs: every one that was acknowledged before, down to its oldest. */
function missingFromLists(operations: Evidence['operations']): Violation[] {
  const created = done(operations, 'create');
  return done(operations, 'list').flatMap(({ askedAt, request, answer }) => {
    const listed = new Set(answer.jobIds);
    const hasMore = answer.hasMore ?? answer.jobIds.length >= request.limit;
    const oldest = hasMore ? answer.jobIds.toSorted()[0] : '';
    return created
      .filter((each) => each.answeredAt < askedAt && each.answer.jobId > (oldest ?? ''))
      .filter((each) => !listed.has(each.answer.jobId))
      .map((each) => ({ rule: 'order' as const, what: `list without job ${each.answer.jobId}` }));
  });
}
