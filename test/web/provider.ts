import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { place } from '../processes.js';
import { settingsFor, startProvider } from '../providers/real.js';
import { runSecuredMaster } from '../secured.js';
import { openTab, whenLive } from './browser.js';
import { seriousIn } from './layout.js';
import type { Stage } from './stage.js';

/** Sign-in by a real provider, in the browser: it leaves the page, and comes back. */
export function providerTests(stage: Stage): void {
  test('a person signs in by the provider, is back where they were, and signs out', async () => {
    const { issuer } = await startProvider();
    const { PANDAFUZZ_HTTP_ADDRESS: http } = (await place()).environment;
    const origin = `http://${http}`;
    const scene = await runSecuredMaster({
      ...settingsFor(issuer),
      PANDAFUZZ_HTTP_ADDRESS: http,
      PANDAFUZZ_OIDC_PAGE: origin,
    });
    const { tab, trouble } = await openTab(stage.browser, origin);
    // The provider has cookies of the same host.
    const sessions = async () =>
      (await tab.context().cookies(origin)).filter(({ name }) => name.startsWith('pandafuzz'));
    await tab.goto('/jobs?state=pending');
    const button = tab.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` });
    await button.waitFor();
    expect(await seriousIn(tab)).toEqual([]);
    await button.click();
    await tab.locator('[name=login]').fill('alice');
    await tab.locator('[name=password]').fill('any');
    await tab.locator('[type=submit]').click();
    await tab.getByRole('button', { name: 'Continue' }).click();
    await whenLive(tab);
    expect(tab.url()).toBe(`${origin}/jobs?state=pending`);
    await tab.getByText('(operator)').waitFor();
    expect(await tab.evaluate('localStorage.length + sessionStorage.length')).toBe(0);

    // An answer that belongs to no sign-in of this tab opens no session, and says so.
    await tab.getByRole('button', { name: 'Sign out' }).click();
    await button.waitFor();
    expect(await sessions()).toEqual([]);
    await tab.goto('/signed-in?code=of-mallory&state=of-mallory');
    await tab.getByRole('alert').getByText('this tab has begun no sign-in').waitFor();
    expect(tab.url()).toBe(`${origin}/`);
    expect(await sessions()).toEqual([]);
    expect(trouble.faults).toEqual([]);

    const { identity } = scene.admin;
    const all = { pageSize: 1000, pageToken: '', caller: 'alice@example.org', since: undefined };
    const { entries } = await unary(identity, identity.listAuditEntries, {
      ...all,
      oldestFirst: true,
    });
    expect(entries.map(({ method, about }) => `${method} ${JSON.parse(about)[0]}`)).toEqual([
      'IdentityService/FinishSignIn name,alice@example.org',
      'HTTP/session session,begun',
      'HTTP/session session,ended',
    ]);
    const tokens = await unary(identity, identity.listTokens, { pageSize: 10, pageToken: '' });
    expect(tokens.tokens.find(({ name }) => name === 'alice@example.org')?.revokedBy).toBe(
      'alice@example.org',
    );
  });
}
