import { readOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';

export interface CorpusSize {
  readonly entries: number;
  readonly bytes: number;
}

const size = statement<{ targetName: string }, CorpusSize>(`
  SELECT CAST(coalesce(sum(entries), 0) AS BIGINT) AS entries,
    CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
  FROM corpora WHERE target_name = @targetName`);

/** The size of a target's corpus; of an unknown target it is empty. */
export const getCorpus = readOperation(
  'get_corpus',
  function* (targetName: string): Steps<CorpusSize> {
    return (yield* one(size, { targetName })) as CorpusSize;
  },
);
