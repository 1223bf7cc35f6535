import { unary } from '../../client/call.js';
import { failureOf } from '../../client/failure.js';
import { givenTls } from '../../config/caller-tls.js';
import { keepCredential, keptCredential } from '../../config/credentials.js';
import { messageOf, UserError } from '../../core/errors.js';
import { plain } from '../format.js';
import { print } from '../output.js';
import { type Flags, withMaster } from '../session.js';

/** `pandafuzz logout`: here first, so that no failure of the master keeps it. @throws UserError */
export async function logout(flags: Flags): Promise<void> {
  const { master } = flags;
  const kept = keptCredential(master, process.env);
  if (!kept) throw new UserError(`you are not signed in to ${master}`);
  const tls = givenTls(flags, process.env);
  keepCredential(master, undefined, process.env);
  const isOver = kept.expiresAt !== undefined && kept.expiresAt <= Date.now();
  const canCall = !isOver && (tls !== undefined || !kept.isSecret);
  const isEnded = canCall && (await endAt({ ...flags, tls }, kept.token).catch(onlyHere));
  const where = isEnded || isOver ? '' : '; the token itself goes on at the master';
  print(flags, {
    json: () => ({ master, name: kept.name, ended: isEnded || isOver }),
    text: () => `signed out of ${master}, where you were ${plain(kept.name)}${where}`,
  });
}

function onlyHere(error: unknown): never {
  const code = error instanceof UserError ? error.exitCode : 1;
  const said = 'signed out on this machine alone, the token itself goes on:';
  throw new UserError(`${said} ${messageOf(error)}`, code);
}

/** Ends the token at the master. @returns whether it has ended. @throws UserError when that is not known */
async function endAt(
  {
    master,
    timeout,
    tls,
  }: Pick<Flags, 'master' | 'timeout'> & { tls: ReturnType<typeof givenTls> },
  token: string,
): Promise<boolean> {
  const where = { master, timeoutMs: timeout, token, tls };
  return await withMaster(where, async ({ identity }, options) => {
    try {
      await unary(identity, identity.signOut, {}, options);
      return true;
    } catch (error) {
      const { reason } = failureOf(error) ?? {};
      if (reason === 'NOT_SIGNED_IN') return false;
      // It had ended: revoked, or unknown to a master that was set up anew.
      if (reason?.startsWith('TOKEN_')) return true;
      throw error;
    }
  });
}
