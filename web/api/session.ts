import { signal } from '@preact/signals';
import { Failure, failureFrom } from './failure.js';

/**
 * Whether somebody is signed in. The master keeps the session, and the browser its cookie, which
 * no script sees: nothing of it is here.
 */

/** The master takes calls of those only who have signed in. */
export const isSignedOut = signal(false);
/** Why it has ended, or did not begin; empty: nobody was signed in. */
export const refusal = signal('');
/** Counts sessions: what is refused to an earlier one says nothing of this one. */
export let sessionCount = 0;

const path = '/session';
const deadlineMs = 10_000;

async function ask(method: 'POST' | 'DELETE', headers: Record<string, string>): Promise<void> {
  const response = await fetch(path, {
    method,
    headers: { 'connect-protocol-version': '1', ...headers },
    signal: AbortSignal.timeout(deadlineMs),
    ...own,
  });
  if (response.ok) return;
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  throw failureFrom(isJson ? await response.json() : undefined, response.status, '');
}

/** The cookie of this master alone, and nothing kept on disk. */
export const own = { credentials: 'same-origin', cache: 'no-store', redirect: 'error' } as const;

/** @throws Failure; TypeError where the master does not answer */
export async function signIn(token: string): Promise<void> {
  // Anything else is no token, and may be no header.
  if (!/^[\w-]+$/.test(token)) throw new Failure('unauthenticated', 'this is no token');
  await ask('POST', { authorization: `Bearer ${token}` });
  sessionCount++;
  isSignedOut.value = false;
  refusal.value = '';
}

/** @throws Failure; TypeError where the master does not answer */
export async function signOut(): Promise<void> {
  await ask('DELETE', {});
  signedOut('');
}

/** What was shown goes. @param why the master's own words; empty: somebody signed out */
export function signedOut(why: string): void {
  sessionCount++;
  refusal.value = why;
  isSignedOut.value = true;
}
