import { readOperation } from '../../operation.js';

export interface CorpusSize {
  readonly entries: number;
  readonly bytes: number;
}

/** How large the corpus of a target is; of an unknown one it is empty. */
export const getCorpus = readOperation('get_corpus', (db) => {
  const size = db.prepare<[string], CorpusSize>(
    'SELECT entries, bytes FROM corpora WHERE target_name = ?',
  );
  return (targetName: string): CorpusSize => size.get(targetName) ?? { entries: 0, bytes: 0 };
});
