import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.js';
import { backgroundRunner } from '../core/context.js';
import { UserError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import { Identity } from '../state/access/identity.js';
import { Tokens } from '../state/access/tokens.js';
import { openAtRest } from './store-at-rest.js';

/** EX_NOINPUT of sysexits.h. */
const noInput = 66;
const timeoutMs = 30_000;

type Create = Identity['create'];

/**
 * Makes a token in the database of a master that is stopped. Who may read that may do
 * everything anyway.
 *
 * @throws UserError when there is no database, or its master runs
 */
export async function createTokenInData(
  directory: string,
  request: Parameters<Create>[1],
): ReturnType<Create> {
  await access(join(directory, 'pandafuzz.db')).catch(() => {
    throw new UserError(
      `${directory} has no database of a master: name the folder that data.directory is`,
      noInput,
    );
  });
  const { store, log } = await openAtRest({ directory });
  const clock = systemClock;
  const inBackground = backgroundRunner({ timeoutMs, log, clock });
  const times = { flushEveryMs: timeoutMs, keepEndedMs: Number.MAX_SAFE_INTEGER };
  const tokens = new Tokens({ store, clock, log, inBackground, newId, ...times });
  try {
    await tokens.start();
    const identity = new Identity(tokens, () => clock.now());
    return await inBackground('create_token', (ctx) => identity.create(ctx, request));
  } finally {
    await tokens.stop();
    await store.close();
  }
}
