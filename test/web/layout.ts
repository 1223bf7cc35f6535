import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { plainLines } from '../../src/core/unseen.js';
import { openTab, whenLive } from './browser.js';
import { pathsOf } from './scene.js';
import type { Stage } from './stage.js';

/** PICTURES=folder keeps what the pages look like. */
const folder = process.env['PICTURES'];

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe calls serious or critical, by rule and element. */
export async function seriousIn(tab: Page): Promise<string[]> {
  await tab.evaluate(axe.source);
  const found = (await tab.evaluate(`axe.run({ resultTypes: ['violations'] })`)) as {
    violations: readonly Finding[];
  };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** The last is 1280 px at 400 %. Themes change no layout. */
const sizes = [
  { width: 1280, height: 720, scheme: 'light' },
  { width: 360, height: 740, scheme: 'dark' },
  { width: 768, height: 1024, scheme: 'light' },
  { width: 2560, height: 1440, scheme: 'light' },
  { width: 320, height: 256, scheme: 'light' },
] as const;
const pictured = [
  { width: 1280, height: 720, scheme: 'light' },
  { width: 1280, height: 720, scheme: 'dark' },
  { width: 360, height: 740, scheme: 'light' },
  { width: 360, height: 740, scheme: 'dark' },
] as const;
const looks = folder ? pictured : sizes;

/** What a page looks like, where somebody wants to see it. */
export async function pictures(tab: Page, name: string): Promise<void> {
  if (folder) await widths(tab, name);
}

/** How wide a page is at each size, after it was laid out anew. */
async function widths(tab: Page, name: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { width, height, scheme } of looks) {
    await tab.setViewportSize({ width, height });
    // A picture of the overview waits for the figures that the master computes once a second.
    if (folder && name === 'overview') await tab.getByText('2,043').first().waitFor();
    if (folder) await tab.emulateMedia({ colorScheme: scheme });
    found.push(
      await tab.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
        () => done(document.documentElement.scrollWidth))))`),
    );
    if (folder) await tab.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`) });
  }
  return found;
}

/**
 * Every page once, in one tab. Colours are the same at every size, and those of the dark theme are
 * computed in colours.test.ts: axe looks at one size.
 */
export function layoutTests(stage: Stage): void {
  test('no page scrolls sideways, runs foreign text, or is hard to read for anybody', async () => {
    if (folder) mkdirSync(folder, { recursive: true });
    const { tab, trouble } = await openTab(stage.browser, stage.at.origin);
    for (const [name, path] of Object.entries(pathsOf(stage.at))) {
      await tab.setViewportSize({ width: 1280, height: 720 });
      await tab.goto(path);
      await whenLive(tab);
      expect([name, await seriousIn(tab)]).toEqual([name, []]);
      expect([name, await widths(tab, name)]).toEqual([name, looks.map(({ width }) => width)]);
      expect(await tab.evaluate('window.ran')).toBeUndefined();
    }
    expect(trouble).toEqual({ faults: [], foreign: [] });
    await tab.context().close();
  });

  test('names of what is not seen stand in its place, and nothing turns the direction', async () => {
    const { tab } = stage;
    await tab.goto(`/groups/${stage.at.hostileGroupId}`);
    const report = tab.getByRole('region', { name: 'Report of the sanitizer' });
    const line = report.locator('div').nth(1);
    await line.waitFor();
    const shown = await line.innerText();
    expect(shown).toContain('<script>window.ran=3</script> javascript:alert(4)');
    expect(shown).toContain('U+202E');
    const all = await tab.locator('main').innerText();
    expect(plainLines(all)).toBe(all);
    expect(await report.locator('a').count()).toBe(0);
    await expect(report.innerText()).resolves.toMatch(/x{100} \+ 18000 characters/);
  });
}
