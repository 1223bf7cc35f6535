import type { Database } from 'better-sqlite3';

interface Event {
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
}

/** The states from which an event may move a job. */
const steps: Record<string, readonly string[]> = {
  'job.created': [],
  'job.assigned': ['pending'],
  'job.running': ['assigned'],
  'job.pending': ['assigned', 'running', 'paused', 'dead'],
  'job.paused': ['pending', 'assigned', 'running'],
  'job.completed': ['assigned', 'running'],
  'job.cancelled': ['pending', 'assigned', 'running', 'paused'],
  'job.dead': ['pending', 'assigned', 'running', 'paused'],
};

/**
 * What the counters must be, by the events alone.
 *
 * @throws Error for an event that cannot follow the ones before it
 */
export function replay(db: Database): Record<string, number> {
  const jobs = new Map<string, string>();
  const bots = new Set<string>();
  const crashes = new Set<string>();
  const groups = new Set<string>();
  const events = db.prepare<[], Event>(
    'SELECT kind, subject, detail FROM events ORDER BY sequence',
  );
  for (const { kind, subject, detail } of events.iterate()) {
    if (kind === 'bot.registered') bots.add(subject);
    if (kind === 'crash.recorded') {
      crashes.add(subject);
      groups.add(JSON.parse(detail).groupId);
    }
    const before = steps[kind];
    if (!before) continue;
    const state = jobs.get(subject);
    const fits = state === undefined ? before.length === 0 : before.includes(state);
    if (!fits) throw new Error(`${kind} for a job that is ${state ?? 'not there'}`);
    jobs.set(subject, kind === 'job.created' ? 'pending' : kind.slice('job.'.length));
  }
  const inState = (state: string) => [...jobs.values()].filter((s) => s === state).length;
  return {
    bots: bots.size,
    crash_inputs_kept: crashes.size,
    // No bot of these stories meets a crash twice.
    crash_hits: crashes.size,
    crash_groups: groups.size,
    'jobs.pending': inState('pending'),
    'jobs.assigned': inState('assigned'),
    'jobs.running': inState('running'),
    'jobs.completed': inState('completed'),
    'jobs.cancelled': inState('cancelled'),
    'jobs.dead': inState('dead'),
    'jobs.paused': inState('paused'),
  };
}
