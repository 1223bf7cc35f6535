import { done, type LeaseName, of } from '../history/operation.js';
import type { Evidence, Violation } from './evidence.js';

/** A time in which a lease was valid for certain, by the master's own answers. */
interface Held extends LeaseName {
  readonly botId: string;
  readonly from: number;
  until: number;
  /** It was given up: a later answer does not make it valid again. */
  isOver: boolean;
}

/** Times are whole milliseconds, of several processes. */
const clockMs = 5;

const nameOf = ({ jobId, attempt, fence }: LeaseName) => `${jobId}/${attempt}/${fence}`;

/**
 * At most one valid lease a job at each instant, and no lease twice. An answer to a beat that leaves so
 * many milliseconds is counted from when the beat was asked, so the lease was valid at least
 * that long.
 */
export function doubleLeases({ operations }: Evidence): Violation[] {
  const found: Violation[] = [];
  const held = new Map<string, Held>();
  const byJob = new Map<string, Held[]>();
  const restoredAt = of(operations, 'mark')
    .filter(({ request }) => request.what === 'restored')
    .map(({ askedAt }) => askedAt);

  for (const { request, answer, answeredAt } of done(operations, 'take')) {
    const known = held.get(nameOf(answer));
    if (known && known.botId !== request.botId) {
      const bots = `${known.botId} and ${request.botId}`;
      found.push({ rule: 'one lease', what: `lease ${nameOf(answer)} of ${bots}` });
    }
    if (known) continue;
    const { botId } = request;
    const lease = { ...answer, botId, from: answeredAt, until: answeredAt, isOver: false };
    held.set(nameOf(answer), lease);
    const leases = byJob.get(answer.jobId);
    if (leases) leases.push(lease);
    else byJob.set(answer.jobId, [lease]);
  }
  for (const { lease, at, until } of lastsAndEnds(operations)) {
    const known = held.get(nameOf(lease));
    if (!known || known.isOver) continue;
    if (until !== undefined) known.until = Math.max(known.until, until);
    else [known.until, known.isOver] = [Math.min(known.until, at), true];
  }
  for (const leases of byJob.values()) {
    const inOrder = leases.toSorted((a, b) => a.from - b.from);
    for (const [index, lease] of inOrder.entries()) {
      for (const next of inOrder.slice(index + 1)) {
        const isPutBack = restoredAt.some((at) => at > lease.from && at < next.from);
        if (isPutBack || next.from >= lease.until - clockMs) continue;
        const overlapMs = (lease.until - next.from).toFixed(0);
        const what = `${nameOf(lease)} and ${nameOf(next)} for ${overlapMs} ms`;
        found.push({ rule: 'one lease', what });
      }
    }
  }
  return found;
}

/** In the order in which they were asked: until when a lease lasts, or that its bot ends it. */
function lastsAndEnds(operations: Evidence['operations']) {
  const steps: { lease: LeaseName; at: number; until: number | undefined }[] = [];
  for (const { request, answer, askedAt } of done(operations, 'beat')) {
    for (const lease of answer.leases) {
      const until = lease.remainingMs > 0 ? askedAt + lease.remainingMs : undefined;
      steps.push({ lease, at: askedAt, until });
    }
    const named = new Set(answer.leases.map(nameOf));
    for (const lease of request.leases.filter((each) => !named.has(nameOf(each)))) {
      steps.push({ lease, at: askedAt, until: undefined });
    }
  }
  for (const { request, askedAt } of of(operations, 'done')) {
    steps.push({ lease: request.lease, at: askedAt, until: undefined });
  }
  for (const { request, answer, askedAt } of done(operations, 'hello')) {
    const kept = new Set(answer.kept.map(nameOf));
    for (const lease of request.leases.filter((each) => !kept.has(nameOf(each)))) {
      steps.push({ lease, at: askedAt, until: undefined });
    }
  }
  return steps.toSorted((a, b) => a.at - b.at);
}
