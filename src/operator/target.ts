import { access, constants, stat } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { dataError, noInput } from './exit-codes.js';

/** Checks a target before the upload. @throws UserError if it cannot be executed */
export async function expectExecutable(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') {
      // What the shell gave may have been bytes that Node cannot hand on.
      const hint = path.includes('\ufffd') ? '; if its name is no UTF-8, rename it' : '';
      throw new UserError(`${path}: there is no such file${hint}`, noInput);
    }
    throw new UserError(describeTrouble(error, path) ?? messageOf(error), noInput);
  });
  if (found.isDirectory()) {
    throw new UserError(
      `${path} is not a file: name the executable to fuzz, or send the folder with --bundle`,
      noInput,
    );
  }
  if (!found.isFile()) {
    throw new UserError(`${path} is not a file: name the executable to fuzz`, noInput);
  }
  if (found.size === 0) {
    throw new UserError(`${path} is empty: name the executable to fuzz`, dataError);
  }
  if (!(await may(path, constants.R_OK))) {
    throw new UserError(`${path} cannot be read: check its permissions`, noInput);
  }
  // Even root needs one executable bit.
  if ((found.mode & 0o111) === 0 || !(await may(path, constants.X_OK))) {
    throw new UserError(`${path} is not executable: chmod +x it, or name another`, noInput);
  }
}

const may = (path: string, mode: number) =>
  access(path, mode).then(
    () => true,
    () => false,
  );
