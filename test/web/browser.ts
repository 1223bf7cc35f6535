import { type Browser, chromium, type Page } from 'playwright-core';
import { atEnd } from '../harness.js';
import { patienceMs } from '../patience.js';

/** Debian's Chromium, ended after the test. As root it has no sandbox of its own. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    timeout: patienceMs,
  });
  atEnd(() => browser.close());
  return browser;
}

/** What a tab did that a page of ours never does. */
export interface Trouble {
  /** Exceptions, and what the policy refused. */
  readonly faults: string[];
  /** Requests to anywhere else. */
  readonly foreign: string[];
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
}

/** A new tab, which notes what goes wrong in it. */
export async function openTab(
  browser: Browser,
  origin: string,
  { width = 1280, height = 720, scheme = 'light' }: Look = {},
): Promise<{ tab: Page; trouble: Trouble }> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    baseURL: origin,
  });
  const tab = await context.newPage();
  tab.setDefaultTimeout(patienceMs);
  const trouble: Trouble = { faults: [], foreign: [] };
  tab.on('pageerror', (error) => trouble.faults.push(String(error)));
  tab.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML/.test(message.text()))
      trouble.faults.push(message.text());
  });
  tab.on('dialog', (dialog) => {
    trouble.faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  tab.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('blob:')) trouble.foreign.push(url);
  });
  return { tab, trouble };
}

/** Waits until the first answers are shown. */
export async function whenLive(tab: Page): Promise<void> {
  await tab.locator('header .chip.good').waitFor();
  await tab.locator('.loading').first().waitFor({ state: 'detached' });
}
