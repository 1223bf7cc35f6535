import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { givenTls } from '../../config/caller-tls.js';
import { credentialsFile, keepCredential } from '../../config/credentials.js';
import { givenToken } from '../../config/token.js';
import { messageOf, UserError } from '../../core/errors.js';
import { Token } from '../../gen/pandafuzz/v1/identity_service.js';
import { plain } from '../format.js';
import { complain, print } from '../output.js';
import { type Flags, withMaster } from '../session.js';
import type { CallOptions } from '../submit.js';
import { rights } from '../tokens.js';
import { openBrowser } from './browser.js';
import { openLanding } from './landing.js';

/** As long as the master takes a sign-in. */
const patienceMs = 600_000;

/** `pandafuzz login`. @throws UserError */
export async function login(flags: Flags & { readonly browser: boolean }): Promise<void> {
  const given = flags.tokenFile ? givenToken(flags.tokenFile, process.env) : undefined;
  const tls = givenTls(flags, process.env);
  const where = { master: flags.master, timeoutMs: flags.timeout, token: given, tls };
  const { secret, token } = await withMaster(where, async (connection, options) => {
    if (given !== undefined)
      return { secret: given, token: await expectToken(connection, options) };
    await expectNeeded(connection, options);
    return await signIn(connection, flags.browser, options);
  });
  const expiresAt = token.expiresAt?.getTime();
  const kept = { token: secret, name: token.name, isSecret: tls !== undefined };
  keepCredential(flags.master, { ...kept, ...(expiresAt && { expiresAt }) }, process.env);
  const until = token.expiresAt ? `, until ${token.expiresAt.toISOString()}` : '';
  print(flags, {
    json: () => ({ token: Token.toJSON(token), file: credentialsFile(process.env) }),
    text: () =>
      `signed in to ${flags.master} as ${plain(token.name)}: ${rights(token, Date.now())}${until}`,
  });
  if (process.env['PANDAFUZZ_TOKEN'] || process.env['PANDAFUZZ_TOKEN_FILE']) {
    complain('PANDAFUZZ_TOKEN or PANDAFUZZ_TOKEN_FILE is set, and wins over this sign-in');
  }
}

async function expectToken({ identity }: Connection, options: CallOptions): Promise<Token> {
  const { token } = await unary(identity, identity.getCaller, {}, options);
  if (!token) throw notNeeded();
  return token;
}

/** @throws UserError when everybody may call */
async function expectNeeded({ identity }: Connection, options: CallOptions): Promise<void> {
  try {
    await unary(identity, identity.getCaller, {}, options);
  } catch (error) {
    if (failureOf(error)?.reason === 'TOKEN_MISSING') return;
    throw error;
  }
  throw notNeeded();
}

const notNeeded = () =>
  new UserError('this master takes calls without tokens: there is nothing to sign in to');

async function signIn(
  { identity }: Connection,
  isBrowser: boolean,
  options: Required<CallOptions>,
): Promise<{ secret: string; token: Token }> {
  const landing = await openLanding();
  let words = 'The sign-in did not succeed: the terminal says why. You can close this page.';
  try {
    const begun = await unary(
      identity,
      identity.beginSignIn,
      { redirectUri: landing.uri },
      options,
    );
    const { url, state } = addressIn(begun.authorizationUrl);
    complain(`sign in with a browser at\n\n  ${url}\n`);
    if (isBrowser) openBrowser(url, process.env);
    const answer = await answerOf(landing.answerTo(state), options.signal);
    const finish = { signIn: begun.signIn, answer };
    const { secret, token } = await unary(identity, identity.finishSignIn, finish, options);
    if (!token) throw new UserError('the master gave no token: is it of another version?');
    words = `You are signed in to PandaFuzz as ${plain(token.name)}. You can close this page.`;
    return { secret, token };
  } finally {
    await landing.close(words);
  }
}

/** The master's word is not enough to start a program with it. @throws UserError */
function addressIn(given: string): { url: string; state: string } {
  const url = URL.parse(given);
  const state = url?.searchParams.get('state');
  if (!url || !state || !/^https?:$/.test(url.protocol)) {
    throw new UserError('the master named no address of a provider: is it of another version?');
  }
  return { url: url.href, state };
}

/** By the browser, or pasted by a person whose browser is on another machine. */
async function answerOf(landed: Promise<string>, stop: AbortSignal): Promise<string> {
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal, AbortSignal.timeout(patienceMs)]);
  const stopped = once(signal, 'abort').then(() => {
    if (stop.aborted) throw stop.reason;
    throw new UserError('nobody signed in within ten minutes: run the command again');
  });
  try {
    return await Promise.race([landed, pasted(signal), stopped]);
  } finally {
    done.abort();
    stopped.catch(() => {});
  }
}

/** The first line of standard input; never settles where that ends without one. */
function pasted(signal: AbortSignal): Promise<string> {
  complain(
    'If that browser is on another machine, it ends at an address that begins with\n' +
      'http://127.0.0.1 and does not open: paste it here.',
  );
  const lines = createInterface({ input: process.stdin, signal });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  lines.on('line', (line) => {
    if (line.trim() !== '') resolve(line.trim());
  });
  process.stdin.once('error', (error) => reject(new UserError(messageOf(error))));
  // Standard input that is a file has none.
  signal.addEventListener('abort', () => process.stdin.unref?.(), { once: true });
  return promise;
}
