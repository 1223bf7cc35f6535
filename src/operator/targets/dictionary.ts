import { readFile, stat } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { describeTrouble } from '../../core/system-trouble.js';
import { checkDictionary, mostDictionaryBytes } from '../../target/dictionary.js';
import { dataError, noInput } from '../exit-codes.js';
import { inWords } from './door.js';

/** Checks a dictionary before it is sent. @throws UserError naming the bad lines */
export async function checkDictionaryFile(path: string): Promise<void> {
  const bytes = await readWithin(path).catch((error) => {
    if (error instanceof UserError) throw error;
    const why =
      codeOf(error) === 'ENOENT'
        ? 'there is no such file'
        : (describeTrouble(error, 'it') ?? messageOf(error));
    throw new UserError(`--dict ${path}: ${why}`, noInput);
  });
  await inWords(`--dict ${path}`, async () => checkDictionary(bytes));
}

async function readWithin(path: string): Promise<Buffer> {
  if ((await stat(path)).size <= mostDictionaryBytes) return readFile(path);
  throw new UserError(
    `--dict ${path}: a dictionary may have at most ${mostDictionaryBytes} bytes`,
    dataError,
  );
}
