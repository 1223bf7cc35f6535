import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { codeOf, messageOf, UserError } from '../core/errors.js';

/** Sign-ins that `pandafuzz login` keeps, for all commands of this user: by master, in one file. */

/** EX_DATAERR, EX_CANTCREAT and EX_NOPERM of sysexits.h. */
const dataError = 65;
const cannotCreate = 73;
const noPermission = 77;
const mostMasters = 100;

const credential = z.object({
  token: z.string().regex(/^[!-~]{1,4096}$/),
  /** Of the person or the token. */
  name: z.string(),
  /** ms since 1970; absent: it does not end by itself. */
  expiresAt: z.number().optional(),
  /** It was made over TLS, and is sent over TLS alone. */
  isSecret: z.boolean(),
});
export type Credential = z.output<typeof credential>;
const known = z.record(z.string(), credential);

/** `$XDG_CONFIG_HOME/pandafuzz/credentials.json`. */
export function credentialsFile({ XDG_CONFIG_HOME: given = '' }: NodeJS.ProcessEnv): string {
  const folder = isAbsolute(given) ? given : join(homedir(), '.config');
  return join(folder, 'pandafuzz', 'credentials.json');
}

/**
 * What was kept for a master, HOST:PORT as it was named; it may have ended.
 *
 * @throws UserError when the file is not for its owner alone, or damaged
 */
export function keptCredential(
  master: string,
  environment: NodeJS.ProcessEnv,
): Credential | undefined {
  const all = readAll(credentialsFile(environment));
  return Object.hasOwn(all, master) ? all[master] : undefined;
}

/** Keeps it, or forgets what is kept where it is undefined. @throws UserError */
export function keepCredential(
  master: string,
  kept: Credential | undefined,
  environment: NodeJS.ProcessEnv,
): void {
  const file = credentialsFile(environment);
  const { [master]: _before, ...others } = readAll(file);
  const now = Date.now();
  const valid = Object.entries(others).filter(([, one]) => !hasEnded(one, now));
  const all = [...valid, ...(kept ? [[master, kept] as const] : [])].slice(-mostMasters);
  const next = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const text = `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`;
    writeFileSync(next, text, { mode: 0o600 });
    chmodSync(next, 0o600);
    renameSync(next, file);
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${messageOf(error)}`, cannotCreate);
  }
}

/**
 * The token of a kept sign-in.
 *
 * @throws UserError when it has ended, or would go over an open line
 */
export function tokenKept(
  master: string,
  isSecret: boolean,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const kept = keptCredential(master, environment);
  if (!kept) return undefined;
  if (hasEnded(kept, Date.now())) {
    const when = new Date(kept.expiresAt ?? 0).toISOString();
    const why = `your sign-in as ${kept.name} ended at ${when}: run "pandafuzz login" again, or "pandafuzz logout" to call without one`;
    throw new UserError(why, noPermission);
  }
  if (kept.isSecret && !isSecret) {
    const why = `you signed in to ${master} over TLS, and your sign-in is sent over TLS alone: give --ca, or PANDAFUZZ_CA`;
    throw new UserError(why, noPermission);
  }
  return kept.token;
}

const hasEnded = ({ expiresAt = Number.POSITIVE_INFINITY }: Credential, now: number): boolean =>
  expiresAt <= now;

function readAll(file: string): Readonly<Record<string, Credential>> {
  let text: string;
  try {
    const isOpen = process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0;
    if (isOpen) {
      const why = `${file} can be read by others: chmod 600 it, then end what it has by "pandafuzz logout"`;
      throw new UserError(why, noPermission);
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} cannot be read: ${messageOf(error)}`, dataError);
  }
  try {
    return known.parse(JSON.parse(text));
  } catch {
    // The parser's words may repeat a token.
    throw new UserError(`${file} is damaged: delete it, and sign in again`, dataError);
  }
}
