import { done } from '../history/operation.js';
import { type Evidence, isInGap, type Violation } from './evidence.js';

/** Nothing is there twice, however often it was asked for. */
export function doubledWrites({ operations: all, database, gap }: Evidence): Violation[] {
  const operations = all.filter((each) => !isInGap(each, gap));
  const doubled: Violation[] = [];
  const oneAnswer = (what: string, pairs: readonly (readonly [string, string])[]) => {
    const answers = new Map<string, string>();
    for (const [key, answer] of pairs) {
      const first = answers.get(key) ?? answer;
      answers.set(key, first);
      if (first === answer) continue;
      doubled.push({ rule: 'once', what: `${what} ${key} is ${first} and ${answer}` });
    }
  };
  oneAnswer(
    'request',
    done(operations, 'create').map(({ request, answer }) => [request.requestId, answer.jobId]),
  );
  oneAnswer(
    'crash of',
    done(operations, 'crash').map(({ request, answer }) => [
      `${request.lease.jobId} by ${request.sha256}`,
      answer.crashId,
    ]),
  );
  const several = database.prepare<[], { what: string }>(`
    SELECT 'completed: ' || job_id AS what FROM attempts WHERE outcome = 'completed'
      GROUP BY job_id HAVING count(*) > 1
    UNION ALL SELECT 'request: ' || request_id FROM jobs WHERE request_id IS NOT NULL
      GROUP BY request_id HAVING count(*) > 1
    UNION ALL SELECT 'crash: ' || job_id || ' ' || input_sha256 FROM crashes
      GROUP BY job_id, input_sha256 HAVING count(*) > 1
    UNION ALL SELECT 'created: ' || subject FROM events WHERE kind = 'job.created'
      GROUP BY subject HAVING count(*) > 1`);
  for (const { what } of several.all()) doubled.push({ rule: 'once', what });
  return doubled;
}
