import { readFileSync } from 'node:fs';
import { codeOf, UserError } from '../core/errors.js';
import { tokenKept } from './credentials.js';

/** EX_NOINPUT and EX_DATAERR of sysexits.h. */
const noInput = 66;
const dataError = 65;

/**
 * The token to call with: of the file that is named, of PANDAFUZZ_TOKEN, or of the file that
 * PANDAFUZZ_TOKEN_FILE names, the first that is given. Never of an argument: those are seen by
 * every user of the machine.
 *
 * @throws UserError, which never has the token
 */
export function givenToken(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (file) return tokenOfFile(file);
  const { PANDAFUZZ_TOKEN: text, PANDAFUZZ_TOKEN_FILE: named } = environment;
  if (text?.trim()) return checked(text.trim(), 'PANDAFUZZ_TOKEN');
  return named ? tokenOfFile(named) : undefined;
}

/** The same, or else what `pandafuzz login` has kept for this master. @throws UserError */
export function callersToken(
  { master, tokenFile, ca }: { master: string; tokenFile?: string; ca?: string },
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const isSecret = Boolean(ca || environment['PANDAFUZZ_CA']);
  return givenToken(tokenFile, environment) ?? tokenKept(master, isSecret, environment);
}

function tokenOfFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UserError(`the token's file ${file} cannot be read (${codeOf(error)})`, noInput);
  }
  return checked(text, file);
}

/** What cannot be sent is refused here: the library's own words would repeat it. */
function checked(text: string, where: string): string {
  if (/^[!-~]{1,4096}$/.test(text)) return text;
  throw new UserError(`${where} has no token: one begins with pf_ and has no spaces`, dataError);
}
