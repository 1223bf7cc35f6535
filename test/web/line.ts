import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { formatAddress } from '../../src/config/units.js';
import { Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { runSecuredMaster } from '../secured.js';
import { registerBot } from '../steps.js';
import { openTab, whenLive } from './browser.js';
import type { Stage } from './stage.js';

/** Each has a master of its own: it is stopped, or wants tokens. */
export function lineTests(stage: Stage): void {
  test('a master that is away leaves what is shown, with its age, and is found again', async () => {
    const directory = temporaryFolder();
    const { master, connection } = await runMasterFor({}, directory);
    const http = formatAddress(master.http);
    await registerBot(connection, 'north-01');
    const { tab, trouble } = await openTab(stage.browser, `http://${http}`);
    await tab.goto('/bots');
    await tab.getByRole('link', { name: 'north-01' }).waitFor();

    connection.close();
    await master.stop();
    const line = tab.getByText(/^The master is away since .* UTC; what you see is from then\./);
    await line.waitFor();
    await tab.getByText('reconnecting').waitFor();
    await tab.getByRole('link', { name: 'north-01' }).waitFor();
    expect(await tab.title()).toBe('Bots · PandaFuzz');

    const again = await runMasterFor({ PANDAFUZZ_HTTP_ADDRESS: http }, directory);
    await registerBot(again.connection, 'south-02');
    await line.waitFor({ state: 'detached' });
    // A row that is new waits: nothing moves by itself.
    await tab.getByRole('button', { name: '1 new, show' }).click();
    await tab.getByRole('link', { name: 'south-02' }).waitFor();
    expect(trouble).toEqual({ faults: [], foreign: [] });
  });

  test('a token is asked for, kept for the tab alone, and what it showed is gone with it', async () => {
    const secured = await runSecuredMaster();
    const origin = `http://${formatAddress(secured.master.http)}`;
    const viewer = await secured.token(Role.VIEWER);
    const { tab } = await openTab(stage.browser, origin);
    await tab.goto('/system');
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    await tab.getByLabel('Token').fill('pf_wrong');
    await tab.keyboard.press('Enter');
    await tab.getByRole('alert').waitFor();

    await tab.getByLabel('Token').fill(viewer.secret);
    await tab.keyboard.press('Enter');
    await whenLive(tab);
    expect(tab.url()).toBe(`${origin}/system`);
    await tab.getByText('Database').waitFor();
    await tab.reload();
    await tab.getByText('Database').waitFor();
    expect(await tab.evaluate('document.cookie')).toBe('');
    expect(await tab.evaluate('localStorage.length')).toBe(0);

    const { identity } = secured.admin;
    await unary(identity, identity.revokeToken, { tokenId: viewer.id });
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await tab.getByText('Database').count()).toBe(0);
    expect(await tab.evaluate('sessionStorage.length')).toBe(0);
  });
}
