import { readOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';

const sum = statement<{ project: string }, { bytes: number | null }>(`
  SELECT CAST(sum(corpus_sizes.bytes) AS BIGINT) AS bytes
  FROM corpora JOIN corpus_sizes ON corpus_sizes.generation_id = corpora.generation_id
  WHERE project = @project`);

/** Bytes of all corpora of a project: a project has at most some thousand targets. */
export const projectBytes = readOperation(
  'project_bytes',
  function* (project: string): Steps<number> {
    return (yield* one(sum, { project }))?.bytes ?? 0;
  },
);
