import { isNotFound } from '../../client/failure.js';
import { UserError } from '../../core/errors.js';
import { inProject } from '../../core/project.js';
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

/** How a corpus is called for people. */
export const titleOf = ({ project, targetName }: CorpusKey): string =>
  inProject(project, targetName);

/**
 * A call about one corpus.
 *
 * @throws UserError when there is no such corpus, and what the call throws
 */
export async function about<T>(key: CorpusKey, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new UserError(
      `there is no corpus of ${titleOf(key)}: "pandafuzz corpus list" shows them all`,
    );
  }
}
