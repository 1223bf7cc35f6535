import { call } from './call.js';
import { Failure, failureOf } from './failure.js';
import { signIn } from './session.js';

/**
 * Sign-in by the master's provider: the browser goes there, and comes back to /signed-in. What
 * is needed then is in this tab's storage; of no use without what the provider adds.
 */

const kept = 'pandafuzz-sign-in';
export const returnPath = 'signed-in';

interface Kept {
  readonly signIn: string;
  /** Where in this page to go on. */
  readonly path: string;
}

async function begin(): Promise<{ signIn: string; authorizationUrl: string }> {
  const answer = await call('IdentityService', 'BeginSignIn', { redirectUri: '' });
  const { signIn: begun = '', authorizationUrl = '' } = answer;
  return { signIn: begun, authorizationUrl };
}

/** The provider's host; empty: the master has none. */
export async function providerHost(): Promise<string> {
  try {
    return URL.parse((await begin()).authorizationUrl)?.host ?? '';
  } catch (error) {
    // It has one that does not answer now.
    return failureOf(error).reason === 'PROVIDER_AWAY' ? 'the provider' : '';
  }
}

/** Leaves the page. @throws Failure */
export async function goToProvider(): Promise<void> {
  const begun = await begin();
  const { pathname, search } = location;
  const path = pathname === `/${returnPath}` ? '/' : pathname + search;
  const one: Kept = { signIn: begun.signIn, path };
  sessionStorage.setItem(kept, JSON.stringify(one));
  const url = URL.parse(begun.authorizationUrl);
  if (!url || !/^https?:$/.test(url.protocol)) throw new Failure('internal', 'no such provider');
  location.assign(url.href);
}

/** @returns where to go on. @throws Failure, which says why nobody is signed in */
export async function finishSignIn(answer: string): Promise<string> {
  const text = sessionStorage.getItem(kept);
  sessionStorage.removeItem(kept);
  if (text === null || answer === '') {
    throw new Failure('unauthenticated', 'this tab has begun no sign-in: sign in here');
  }
  const { signIn: begun, path } = JSON.parse(text) as Kept;
  const { secret = '' } = await call('IdentityService', 'FinishSignIn', { signIn: begun, answer });
  await signIn(secret);
  return path;
}
