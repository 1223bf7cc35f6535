import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { formatAddress } from '../../src/config/quantities.js';
import { CrashGroupStatus } from '../../src/gen/pandafuzz/v1/crash.js';
import { pandafuzz } from '../cli/run.js';
import { temporaryFolder } from '../harness.js';
import { given } from '../steps.js';
import { whenLive } from './browser.js';
import { seriousIn } from './layout.js';
import { reproducer } from './scene.js';
import type { Stage } from './stage.js';

const bin = fileURLToPath(new URL('../../../bin/', import.meta.url));

/** The page of one crash group, and its buttons. */
export function groupTests(stage: Stage): void {
  const visit = async (groupId: string) => {
    await stage.tab.goto(`/groups/${groupId}`);
    await whenLive(stage.tab);
  };

  test('has its stack, input, builds and lines to copy', async () => {
    const { tab, at } = stage;
    await visit(at.groupId);
    const marked = tab.locator('.stack .counts .call');
    expect((await marked.allInnerTexts()).map((text) => text.split(/\s/)[0])).toEqual([
      'repeat_row',
      'read_tile',
      'read_chunk',
    ]);
    await tab.getByText('0000  50 54 49 4c 02 54 0d 00').waitFor();
    await tab.getByRole('button', { name: 'Text', exact: true }).click();
    await tab.getByText('<script>alert(1)</script>').waitFor();
    const downloading = tab.waitForEvent('download');
    await tab.getByRole('button', { name: 'Download' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^crash-[0-9a-f-]{36}\.bin$/);
    expect(readFileSync(await download.path(), 'latin1')).toBe(reproducer);
    const builds = tab.locator('section', { hasText: 'Hits by build and time' });
    await builds.locator('rect').first().waitFor();
    expect(await builds.locator('circle').count()).toBeGreaterThan(0);
  });

  test('has lines to copy that do what they say', async () => {
    const { tab, at } = stage;
    await visit(at.groupId);
    const [here = '', onBot = '', known = ''] = await tab.locator('.how-to code').allInnerTexts();
    const cwd = temporaryFolder();
    // Its last argument is the input.
    const target = join(cwd, 'png_read');
    writeFileSync(
      target,
      '#!/bin/sh\nfor last; do :; done\necho "$ASAN_OPTIONS" "$#"; cat "$last"\n',
    );
    chmodSync(target, 0o755);
    const environment = { PANDAFUZZ_MASTER: formatAddress(at.master.grpc) };
    const env = { ...process.env, ...environment, PATH: bin + delimiter + process.env['PATH'] };
    const { stdout } = await promisify(execFile)('sh', ['-c', here], { cwd, env });
    expect(stdout).toContain(`detect_leaks=0 3\n${reproducer}`);
    expect(onBot).toBe(`pandafuzz crash reproduce ${at.groupId} --wait`);
    const shown = await pandafuzz(known.split(' ').slice(1), { environment });
    expect(shown.out).toMatch(/how to reproduce[\s\S]*\.\/png_read /i);
  });

  test('takes a status and a note, by keys alone', async () => {
    const { tab, at } = stage;
    await visit(at.secondGroupId);
    await tab.getByRole('button', { name: 'Status and note' }).focus();
    await tab.keyboard.press('Enter');
    const status = tab.getByRole('combobox', { name: 'Status' });
    for (let step = 0; step < 5; step++) await tab.keyboard.press('Tab');
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('SELECT');
    await status.selectOption('CRASH_GROUP_STATUS_CONFIRMED');
    await tab.getByLabel('Note').fill('see #7 <b>');
    // Somebody else has been quicker.
    const { crashes } = at.connection;
    await unary(crashes, crashes.setCrashGroupStatus, {
      ...{ groupId: at.secondGroupId, status: CrashGroupStatus.IGNORED, note: 'theirs' },
      ...{ by: 'ana', fixedInSha256: '' },
    });
    await tab.getByRole('button', { name: 'Save' }).focus();
    await tab.keyboard.press('Enter');
    await tab.getByText(/ana has set this to ignored meanwhile, with the note "theirs"/).waitFor();
    await tab.keyboard.press('Enter');
    await tab.getByText(/It was \w+, and is confirmed\./).waitFor();
    const { group } = await unary(crashes, crashes.getCrashGroup, { groupId: at.secondGroupId });
    expect(group).toMatchObject({ status: CrashGroupStatus.CONFIRMED, note: 'see #7 <b>' });
    await tab.locator('h1').getByText('confirmed').waitFor();
    await tab.getByText('see #7 <b>').waitFor();
  });

  test('is reproduced and minimised when somebody asks for it, and says so', async () => {
    const { tab, at } = stage;
    await visit(at.groupId);
    for (const name of ['Reproduce', 'Minimise']) {
      await tab.getByRole('button', { name, exact: true }).first().click();
      await tab.getByRole('dialog').getByRole('button', { name }).click();
      const said = tab.getByText(/^Job [0-9a-f-]{36} (runs the reproducer|looks for a smaller)/);
      await said.waitFor();
      const jobId = given((await said.innerText()).match(/[0-9a-f-]{36}/)?.[0]);
      const { jobs } = at.connection;
      const { job } = await unary(jobs, jobs.getJob, { jobId });
      expect(given(job).spec?.targetName).toBe('png_read');
      await tab.getByRole('button', { name: 'Close' }).click();
    }
  });

  test('is merged beside the other one, and the merge is undone from its history', async () => {
    const { tab, at } = stage;
    await visit(at.secondGroupId);
    await tab.getByRole('button', { name: 'Merge…' }).click();
    const field = tab.getByLabel('The other group, by its id or address');
    await field.fill(`${at.origin}/groups/${at.secondGroupId}`);
    await tab.getByText('This is the group itself.').waitFor();
    await field.fill(`${at.origin}/groups/${at.groupId}?t=1h`);
    await tab.getByRole('group', { name: 'This group' }).getByText('differs').first().waitFor();
    await tab.getByText('Then one group with 414 hits and 3 inputs').waitFor();
    expect(await seriousIn(tab)).toEqual([]);
    await tab.getByRole('button', { name: 'Merge them' }).click();
    // The older one stays.
    await tab.waitForURL(`**/groups/${at.groupId}`);
    await tab.getByText('1 crash went here from').waitFor();
    expect(await hitsOf(at.groupId)).toBe(414);
    await visit(at.secondGroupId);
    await tab.getByText('This group was merged into').waitFor();
    expect(await tab.getByRole('button', { name: 'Merge…' }).count()).toBe(0);
    await tab.getByRole('button', { name: 'Undo' }).click();
    await tab.getByText('The merge is undone').waitFor();
    expect(await hitsOf(at.groupId)).toBe(413);
    await tab.getByRole('button', { name: 'Merge…' }).waitFor();
  });

  test('is split by what tells crashes apart or one by one, and undone by the notice', async () => {
    const { tab, at } = stage;
    await visit(at.secondGroupId);
    const opener = tab.getByRole('button', { name: 'Split…' });
    expect(await opener.getAttribute('title')).toMatch(/has one input/);
    await visit(at.groupId);
    await opener.click();
    await tab.getByText('One by one').click();
    const split = tab.getByRole('button', { name: 'Split them off' });
    expect(await split.getAttribute('title')).toBe('Choose crashes first.');
    await tab.locator('label.row input').first().check();
    await tab.getByText('1 of 2 inputs go to a group of their own').waitFor();
    expect(await seriousIn(tab)).toEqual([]);
    await split.click();
    await tab.getByText(/^1 crash went to/).waitFor();
    await tab.waitForURL((url) => !url.pathname.endsWith(at.groupId));
    await tab.locator('.notices').getByRole('button', { name: 'Undo' }).click();
    await tab.getByText('The split is undone').waitFor();
    expect(await hitsOf(at.groupId)).toBe(413);
  });

  const hitsOf = async (groupId: string): Promise<number> => {
    const { crashes } = stage.at.connection;
    return Number(
      given((await unary(crashes, crashes.getCrashGroup, { groupId })).group).crashHits,
    );
  };
}
