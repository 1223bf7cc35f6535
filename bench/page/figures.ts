import type { Browser, CDPSession, Page } from 'playwright-core';
import { type Task, tasksDuring } from './tasks.js';

/** What a route costs its reader, cold and then while it is updated. */
export interface Figures {
  readonly cells: readonly string[];
  /** The tasks of most CPU. */
  readonly tasks: readonly Task[];
}

export const heads = [
  'first paint, ms',
  'rows, ms',
  'longest task of an update, ms',
  'its CPU, ms',
  'CPU of the main thread, %',
  'KB/s',
  'DOM nodes',
  'heap, MB',
];

/** A tab without a cache is opened at a route, and looked at for so long. */
export async function figuresOf(browser: Browser, url: string, seconds: number): Promise<Figures> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const tab = await context.newPage();
  const startedAt = performance.now();
  await tab.goto(url);
  await whenShown(tab);
  const rowsMs = performance.now() - startedAt;
  const paint = await tab.evaluate<number>(
    `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
  );
  const cdp = await context.newCDPSession(tab);
  await cdp.send('Performance.enable');
  await cdp.send('Network.enable');
  let bytes = 0;
  cdp.on('Network.dataReceived', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  const tasks = await tasksDuring(browser, tab, () => tab.waitForTimeout(seconds * 1000));
  const after = await metricsOf(cdp);
  await context.close();
  const busy = tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 10 / seconds;
  const cells = [
    paint.toFixed(0),
    rowsMs.toFixed(0),
    Math.max(...tasks.map(({ wallMs }) => wallMs)).toFixed(0),
    (tasks[0]?.cpuMs ?? 0).toFixed(0),
    busy.toFixed(1),
    (bytes / 1000 / seconds).toFixed(1),
    String(after('Nodes')),
    (after('JSHeapUsedSize') / 1e6).toFixed(1),
  ];
  return { cells, tasks: tasks.slice(0, 3) };
}

async function metricsOf(cdp: CDPSession): Promise<(name: string) => number> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return (name) => metrics.find((one) => one.name === name)?.value ?? 0;
}

/** The first answers are on the screen. */
async function whenShown(tab: Page): Promise<void> {
  await tab.locator('header .chip.good').waitFor();
  await tab.locator('.loading').first().waitFor({ state: 'detached' });
}

/** @returns what closes them */
export async function openOverviews(
  browser: Browser,
  origin: string,
  count: number,
): Promise<() => Promise<void>> {
  const contexts = await Promise.all(Array.from({ length: count }, () => browser.newContext()));
  for (const context of contexts) await whenShown(await openedAt(await context.newPage(), origin));
  return async () => {
    for (const context of contexts) await context.close();
  };
}

async function openedAt(tab: Page, url: string): Promise<Page> {
  await tab.goto(url);
  return tab;
}
