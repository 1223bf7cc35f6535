import type { Call } from '../../src/store/call.js';
import type { Plant } from './world.js';

interface Held {
  fence: number;
  attempt: number;
  bot_id: string;
}

/** Faults as a change of the code might bring them, each with the promises that it may break. */
export const planted: Readonly<Record<string, Plant & { readonly breaks: readonly string[] }>> = {
  'a result counts under a lease that is not valid any more': {
    breaks: ['result lost', 'memory', 'no reason', 'leases', 'state'],
    tamper(call, db): Call {
      if (call.operation !== 'complete_job') return call;
      const input = call.input as { jobId: string; fence: number };
      const held = db
        .prepare<[string], Held>('SELECT fence, attempt, bot_id FROM leases WHERE job_id = ?')
        .get(input.jobId);
      if (!held || held.fence === input.fence) return call;
      const { fence, attempt, bot_id: botId } = held;
      return { ...call, input: { ...input, fence, attempt, botId } };
    },
  },
  'a lease ends before the time that its bot was told': {
    breaks: ['too early'],
    master({ sessionParts: { leases } }): void {
      const remainingMs = leases.remainingMs.bind(leases);
      leases.remainingMs = (lease) => remainingMs(lease) + 700;
    },
  },
  'a crash that was confirmed is not on disk after a kill': {
    breaks: ['crash lost', 'crash twice'],
    killed({ db }): void {
      db.exec(`UPDATE crashes SET input_sha256 = '${'b'.repeat(64)}'
        WHERE id = (SELECT max(id) FROM crashes)`);
    },
  },
  'nobody is told of a job that has come back': {
    breaks: ['no reason', 'liveness'],
    master({ sessionParts: { dispatch } }): void {
      dispatch.jobPending = () => {};
    },
  },
  'a request that is repeated makes a second job': {
    breaks: ['job twice'],
    tamper: (call) =>
      call.operation === 'create_job'
        ? { ...call, input: { ...(call.input as object), requestId: null } }
        : call,
  },
  'a cancel is forgotten when the job comes back': {
    breaks: ['cancelled'],
    tamper(call, db): Call {
      const ends = ['complete_job', 'release_lease'];
      const { jobId } = call.input as { jobId?: string };
      if (ends.includes(call.operation) && jobId)
        db.prepare('UPDATE jobs SET cancel_requested_at = NULL WHERE id = ?').run(jobId);
      return call;
    },
  },
};
