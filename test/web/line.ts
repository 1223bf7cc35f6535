import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { formatAddress } from '../../src/config/quantities.js';
import { newId } from '../../src/core/ids.js';
import { Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { pruneEvents } from '../../src/store/ops/events/prune-events.js';
import { openStore, runMasterFor, temporaryFolder, testContext } from '../harness.js';
import { runSecuredMaster } from '../secured.js';
import { createJob, registerBot } from '../steps.js';
import { openTab, whenLive } from './browser.js';
import { pictures, seriousIn } from './layout.js';
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
    const overview = await tab.context().newPage();
    await overview.goto('/');
    await overview.getByText('nothing is wrong').waitFor();

    connection.close();
    await master.stop();
    const line = tab.getByText(/^The master is away since .* UTC; what you see is from then\./);
    await line.waitFor();
    await tab.getByText('reconnecting').waitFor();
    await tab.getByRole('link', { name: 'north-01' }).waitFor();
    expect(await tab.title()).toBe('Bots · PandaFuzz');
    // Of what nobody looks at now nothing is said to be right.
    await overview.getByText('nothing was wrong then').waitFor();
    await overview.getByText(/\d+ s old, up/).waitFor();
    expect(await seriousIn(overview)).toEqual([]);

    const again = await runMasterFor({ PANDAFUZZ_HTTP_ADDRESS: http }, directory);
    await registerBot(again.connection, 'south-02');
    await line.waitFor({ state: 'detached' });
    // A row that is new waits: nothing moves by itself.
    await tab.getByRole('button', { name: '1 new, show' }).click();
    await tab.getByRole('link', { name: 'south-02' }).waitFor();
    await overview.getByText('nothing is wrong').waitFor();
    await tab.goto(`/jobs/${newId()}`);
    await tab.getByRole('button', { name: 'Try again' }).first().waitFor();
    expect(await seriousIn(tab)).toEqual([]);
    expect(trouble).toEqual({ faults: [], foreign: [] });
  });

  test('a clock of the browser that is an hour ahead is told, and changes no age', async () => {
    const { tab } = await openTab(stage.browser, stage.at.origin);
    await tab.clock.setSystemTime(Date.now() + 3_600_000);
    await tab.goto('/bots');
    await tab.getByText(/^The clock of this machine is .* ahead of the master's/).waitFor();
    const row = tab.getByRole('row', { name: stage.at.bot.name });
    expect(await row.innerText()).not.toMatch(/\d+ h\b/);
    await tab.context().close();
  });

  test('a button that is refused holds nothing up, and a busy master is asked less until it answers', async () => {
    // Its disk is full, for what it is asked to take.
    const { master, connection } = await runMasterFor({
      PANDAFUZZ_LIMITS_MIN_DISK_FREE: '1024TiB',
    });
    const bot = await registerBot(connection, 'north-01');
    const origin = `http://${formatAddress(master.http)}`;
    const { tab } = await openTab(stage.browser, origin);
    await tab.goto(`/bots/${bot.id}`);
    const drain = tab.getByRole('button', { name: 'Drain' });
    const busy = tab.getByText('The master is busy; asking every 20 s.');

    // No button of this page needs room: its call is answered as one that does.
    const needsRoom = '/pandafuzz.v1.JobService/CreateJob';
    const spec = { engine: 'libfuzzer', targetSha256: '0'.repeat(64) };
    await tab.route('**/DrainBot', async (route) => {
      const postData = JSON.stringify({ spec });
      route.fulfill({ response: await route.fetch({ url: origin + needsRoom, postData }) });
    });
    await drain.click();
    await tab.locator('.notices').getByText('limits.min_disk_free').waitFor();
    expect(await busy.count()).toBe(0);
    await tab.unroute('**/DrainBot');

    const reason = 'OVERLOADED';
    const details = [{ type: 'google.rpc.ErrorInfo', value: '', debug: { reason } }];
    const json = { code: 'resource_exhausted', message: 'too many reads are under way', details };
    await tab.route('**/GetBot', (route) => route.fulfill({ status: 429, json }), { times: 1 });
    await busy.waitFor();
    await drain.click();
    await busy.waitFor({ state: 'detached' });
    await tab.getByRole('button', { name: 'Resume' }).waitFor();
    expect(await tab.getByText('The master is away').count()).toBe(0);
    await tab.context().close();
  });

  test('events are shown, however few are kept', async () => {
    const directory = temporaryFolder();
    const { master, connection } = await runMasterFor({}, directory);
    const { id: first, spec } = await createJob(connection);
    await Promise.all(Array.from({ length: 4 }, () => createJob(connection, spec)));
    connection.close();
    await master.stop();
    // As retention does, after a quiet month.
    const store = await openStore({ directory });
    const all = { olderThan: Number.MAX_SAFE_INTEGER, limit: 1000 };
    expect(await store.run(testContext(), pruneEvents, all)).toBeGreaterThan(3);
    await store.close();

    const again = await runMasterFor({}, directory);
    const { tab } = await openTab(stage.browser, `http://${formatAddress(again.master.http)}`);
    let watches = 0;
    tab.on('request', (request) => {
      if (request.url().endsWith('/WatchJobs')) watches++;
    });
    await tab.goto('/events');
    await whenLive(tab);
    const { jobs } = again.connection;
    await unary(jobs, jobs.cancelJob, { jobId: first });
    await tab.getByRole('row', { name: /job\.cancelled/ }).waitFor();
    // Two of each try: 100 events back, 50, 25 and so on to none.
    expect(watches).toBeLessThanOrEqual(16);
    await tab.context().close();
  });

  test('a token opens a session, which has no script’s eye on it and ends with the token', async () => {
    const secured = await runSecuredMaster();
    const origin = `http://${formatAddress(secured.master.http)}`;
    const viewer = await secured.token(Role.VIEWER);
    const { tab, trouble } = await openTab(stage.browser, origin);
    await tab.goto('/system');
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await tab.getByRole('alert').count()).toBe(0);
    expect(await seriousIn(tab)).toEqual([]);
    await pictures(tab, 'sign-in');
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
    expect(await tab.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
    const [cookie] = await tab.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie?.value).not.toContain(viewer.secret.slice(-16));

    // A viewer has no buttons, and reads why.
    const bot = await registerBot(secured.as((await secured.token(Role.BOT)).secret), 'north-01');
    await tab.goto(`/bots/${bot.id}`);
    await tab.getByText('Changes here take a token of role operator or admin; yours').waitFor();
    expect(await tab.locator('main').getByRole('button', { name: 'Drain' }).count()).toBe(0);
    await tab.getByRole('button', { name: 'Sign out' }).click();
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await tab.context().cookies()).toEqual([]);
    await tab.reload();
    const operator = await secured.token(Role.OPERATOR);
    await tab.getByLabel('Token').fill(operator.secret);
    await tab.keyboard.press('Enter');
    await tab.getByRole('button', { name: 'Drain' }).waitFor();

    const { identity } = secured.admin;
    await unary(identity, identity.revokeToken, { tokenId: operator.id });
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    await tab.getByText('this token was revoked').waitFor();
    expect(await tab.getByText('north-01').count()).toBe(0);
    expect(trouble).toEqual({ faults: [], foreign: [] });
  });
}
