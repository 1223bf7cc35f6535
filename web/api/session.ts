import { signal } from '@preact/signals';

const key = 'token';

/** The caller's token: in memory and, until the tab is closed, in its storage; never a cookie. */
export const token = signal(read());
/** The master takes calls with a token only, and has none that it takes. */
export const isSignedOut = signal(false);
/** Why it was not taken; empty at first. */
export const refusal = signal('');

function read(): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

export function signIn(text: string): void {
  token.value = text;
  isSignedOut.value = false;
  refusal.value = '';
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Without storage it lasts until the page is loaded again.
  }
}

/** @param why the master's own words; empty: somebody signed out */
export function signOut(why: string): void {
  refusal.value = token.value === '' ? '' : why;
  token.value = '';
  isSignedOut.value = true;
  try {
    sessionStorage.removeItem(key);
  } catch {
    // As above.
  }
}
