import type { Browser, CDPSession, Page } from 'playwright-core';

/** What a route costs its reader, cold and then while it is updated. */
export type Figures = readonly string[];

export const heads = [
  'first paint, ms',
  'rows, ms',
  'longest task of an update, ms',
  'main thread busy, %',
  'KB/s',
  'DOM nodes',
  'heap, MB',
];

/** Tasks of the main thread that took 50 ms or longer, as browsers report them. */
const watchTasks = `
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(duration);
  }).observe({ type: 'longtask' });
`;

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
  await tab.evaluate(watchTasks);
  const before = await metricsOf(cdp);
  await tab.waitForTimeout(seconds * 1000);
  const after = await metricsOf(cdp);
  const tasks = await tab.evaluate<number[]>('window.longTasks');
  await context.close();
  const busy = ((after('TaskDuration') - before('TaskDuration')) / seconds) * 100;
  return [
    paint.toFixed(0),
    rowsMs.toFixed(0),
    tasks.length === 0 ? '< 50' : Math.max(...tasks).toFixed(0),
    busy.toFixed(1),
    (bytes / 1000 / seconds).toFixed(1),
    String(after('Nodes')),
    (after('JSHeapUsedSize') / 1e6).toFixed(1),
  ];
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
