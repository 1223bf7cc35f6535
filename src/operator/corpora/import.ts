import { rm } from 'node:fs/promises';
import { importCorpus } from '../../client/corpora.js';
import { type CorpusInput, corpusInput } from '../../client/corpus.js';
import { UserError } from '../../core/errors.js';
import { noInput } from '../exit-codes.js';
import { bytes, plain } from '../format.js';
import { print } from '../output.js';
import { withCount } from '../progress.js';
import { makeScratch } from '../scratch.js';
import { asking } from '../session.js';
import { type CorpusFlags, inputs, keyOf, titleOf } from './names.js';
import { eachFile, type ImportedFile } from './sources.js';

/** `pandafuzz corpus import`. */

/** Inputs and bytes sent in one call. */
const largestSend = { inputs: 256, bytes: 8 * 2 ** 20 } as const;

export function importInto(
  flags: CorpusFlags,
  targetName: string,
  sources: readonly string[],
): Promise<void> {
  return asking(flags, async (connection, { signal }) => {
    const key = keyOf(flags, targetName);
    const done = { added: 0, known: 0, tooLong: 0 };
    const send = async (some: readonly CorpusInput[]) => {
      const { added, known } = await importCorpus(connection, key, some, { signal });
      done.added += added;
      done.known += known;
    };
    const scratch = await makeScratch('pandafuzz-import-');
    try {
      await withCount(async (count) => {
        const about = () => count(`${inputs(done.added + done.known)} imported`);
        await sendAll(eachFile(sources, scratch), done, async (some) => {
          await send(some);
          about();
        });
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    if (done.added + done.known === 0) {
      const why = done.tooLong > 0 ? 'every file is longer than 1 MiB' : 'there is no file in it';
      throw new UserError(`${sources.join(', ')}: ${why}`, noInput);
    }
    print(flags, {
      json: () => ({ ...key, ...done }),
      text: () => plain(`${titleOf(key)}: ${told(done)}`),
    });
  });
}

function told({ added, known, tooLong }: { added: number; known: number; tooLong: number }) {
  const long = tooLong > 0 ? `; ${tooLong} longer than ${bytes(2 ** 20)} left out` : '';
  return `${inputs(added)} added, ${known} known before${long}`;
}

async function sendAll(
  files: AsyncIterable<ImportedFile>,
  done: { tooLong: number },
  send: (some: readonly CorpusInput[]) => Promise<void>,
): Promise<void> {
  let some: CorpusInput[] = [];
  let someBytes = 0;
  for await (const { content } of files) {
    if (!content) {
      done.tooLong += 1;
      continue;
    }
    some.push(corpusInput(content));
    someBytes += content.length;
    if (some.length < largestSend.inputs && someBytes < largestSend.bytes) continue;
    await send(some);
    [some, someBytes] = [[], 0];
  }
  if (some.length > 0) await send(some);
}
