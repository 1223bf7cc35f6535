import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { plainLines } from '../../src/core/unseen.js';
import { shared } from '../harness.js';
import { openBrowser, openTab, whenLive } from './browser.js';
import { pathsOf, type Scene, scene } from './scene.js';

/** PICTURES=folder keeps what the pages look like. */
const folder = process.env['PICTURES'];

let at: Scene;
let browser: Browser;
beforeAll(async () => {
  at = await shared(() => scene());
  browser = await shared(openBrowser);
  if (folder) mkdirSync(folder, { recursive: true });
});

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe calls serious or critical, by rule and element. */
async function seriousIn(tab: Page): Promise<string[]> {
  await tab.evaluate(axe.source);
  const found = (await tab.evaluate('axe.run()')) as { violations: readonly Finding[] };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** Pages whose colours and boxes are looked at once more, dark and narrow. */
const looked = new Set(['overview', 'group', 'jobs']);

test.each([
  { width: 1280, height: 720, scheme: 'light' },
  { width: 360, height: 740, scheme: 'dark' },
  { width: 2560, height: 1440, scheme: 'light' },
] as const)(
  'no page scrolls sideways, runs foreign text, or is hard to read for anybody: $width px, $scheme',
  async (look) => {
    const { tab, trouble } = await openTab(browser, at.origin, look);
    for (const [name, path] of Object.entries(pathsOf(at))) {
      await tab.goto(path);
      await whenLive(tab);
      const wide = await tab.evaluate('document.documentElement.scrollWidth');
      if (folder)
        await tab.screenshot({ path: join(folder, `${name}-${look.width}-${look.scheme}.png`) });
      expect([name, wide]).toEqual([name, look.width]);
      if (look.width === 1280 || looked.has(name))
        expect([name, await seriousIn(tab)]).toEqual([name, []]);
      expect(await tab.evaluate('window.ran')).toBeUndefined();
    }
    expect(trouble).toEqual({ faults: [], foreign: [] });
  },
);

test('names of what is not seen stand in its place, and nothing turns the direction', async () => {
  const { tab, trouble } = await openTab(browser, at.origin);
  await tab.goto(`/groups/${at.hostileGroupId}`);
  const report = tab.getByRole('region', { name: 'Report of the sanitizer' });
  const line = report.locator('div').nth(1);
  await line.waitFor();
  const shown = await line.innerText();
  expect(shown).toContain('<script>window.ran=3</script> javascript:alert(4)');
  expect(shown).toContain('U+202E');
  expect(plainLines(await tab.locator('main').innerText())).toBe(
    await tab.locator('main').innerText(),
  );
  expect(await report.locator('a').count()).toBe(0);
  await expect(report.innerText()).resolves.toMatch(/x{100} \+ 18000 characters/);
  expect(trouble).toEqual({ faults: [], foreign: [] });
});
