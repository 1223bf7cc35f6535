import { failureOf } from '../../client/failure.js';
import { UserError } from '../../core/errors.js';
import type { CorpusKey } from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Flags } from '../session.js';

/** What every command about one corpus is given. */
export interface CorpusFlags extends Flags {
  readonly project: string;
}

export const keyOf = ({ project }: CorpusFlags, targetName: string): CorpusKey => ({
  project,
  targetName,
});

export const inputs = (count: number): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? 'input' : 'inputs'}`;

/** How a corpus is named for people: the default project goes without saying. */
export const titleOf = ({ project, targetName }: CorpusKey): string =>
  project === '' || project === 'default' ? targetName : `${project}/${targetName}`;

/** gRPC's NOT_FOUND. */
const notFound = 5;

/**
 * A call about one corpus.
 *
 * @throws UserError when there is no such corpus, and what the call throws
 */
export async function about<T>(key: CorpusKey, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (failureOf(error)?.code !== notFound) throw error;
    throw new UserError(
      `there is no corpus of ${titleOf(key)}: "pandafuzz corpus list" shows them all`,
    );
  }
}
