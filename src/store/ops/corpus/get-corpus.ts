import { readOperation } from '../../operation.js';
import type { Steps } from '../../statement.js';
import { type CorpusOf, type CorpusSize, findCorpus, sizeOf } from './corpus-of.js';

export type { CorpusSize } from './corpus-of.js';

/** The size of a corpus; of an unknown target it is empty. */
export const getCorpus = readOperation('get_corpus', function* (of: CorpusOf): Steps<CorpusSize> {
  const corpus = yield* findCorpus(of);
  return corpus ? yield* sizeOf(corpus.generation_id) : { entries: 0, bytes: 0 };
});
