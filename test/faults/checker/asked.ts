import { type Kind, type Operation, of } from '../history/operation.js';
import type { Evidence, Violation } from './evidence.js';

/** Nothing is there that nobody asked for, or that was refused whenever it was asked for. */
export function ghostWrites({ operations, database }: Evidence): Violation[] {
  const ghosts: Violation[] = [];
  const look = (what: string, asked: ReadonlySet<string>, sql: string) => {
    for (const key of database.prepare<[], string>(sql).pluck().iterate()) {
      if (!asked.has(key)) ghosts.push({ rule: 'asked', what: `${what} ${key}` });
    }
  };
  const asked = <K extends Kind>(
    kind: K,
    keys: (request: Extract<Operation, { kind: K }>['request']) => readonly string[],
  ) => {
    const open = of(operations, kind).filter(({ end }) => end !== 'refused');
    return new Set(open.flatMap(({ request }) => keys(request as never)));
  };
  look(
    'job of request',
    asked('create', ({ requestId }) => [requestId]),
    "SELECT coalesce(request_id, 'none of ' || id) FROM jobs",
  );
  look(
    'artifact',
    asked('upload', ({ sha256 }) => [sha256]),
    'SELECT sha256 FROM artifacts',
  );
  look(
    'crash of',
    asked('crash', ({ lease, sha256 }) => [`${lease.jobId} ${sha256}`]),
    "SELECT job_id || ' ' || input_sha256 FROM crashes",
  );
  look(
    'corpus input',
    asked('push', ({ sha256s }) => sha256s),
    'SELECT sha256 FROM corpus_entries',
  );
  look(
    'result',
    asked('done', ({ botId, lease, outcome }) => [
      `${botId} ${lease.jobId} ${lease.fence} ${outcome}`,
    ]),
    `SELECT bot_id || ' ' || job_id || ' ' || fence || ' ' || outcome FROM attempts
     WHERE outcome IN ('completed', 'failed', 'infrastructure')`,
  );
  return ghosts;
}
