import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { silentLog } from '../../../src/core/log.js';
import { Readers } from '../../../src/state/crashes/reading/readers.js';
import { atEnd } from '../../harness.js';
import { eventually } from '../../steps.js';
import { VirtualClock } from '../../virtual-clock.js';

const endless = { entry: new URL('./readers/endless.js', import.meta.url), version: 2 };

function opened(parts: Partial<ConstructorParameters<typeof Readers>[0]> = {}) {
  const readers = new Readers({ log: silentLog, ...parts });
  atEnd(() => readers.close());
  return readers;
}

const read = (readers: Readers, report: string) => readers.read({ report, targetName: 'demo' });

describe('the threads that read reports', () => {
  test('find in a real report what it is of', async () => {
    const report = readFileSync('test/crash/samples/asan-heap-buffer-overflow.txt', 'utf8');
    const reading = await read(opened(), report);
    expect(reading).toMatchObject({ kind: 'heap-buffer-overflow', language: 'c' });
    expect(reading.signature).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(reading.stack)[0]).toMatchObject({ function: expect.any(String) });
  });

  test('pass over the frames that a project does not count as its own', async () => {
    const report = readFileSync('test/crash/samples/asan-heap-buffer-overflow.txt', 'utf8');
    const readers = opened();
    const { topFrame, signature } = await read(readers, report);
    const passedOver = { functions: [topFrame], files: [], modules: [] };
    const without = await readers.read({ report, targetName: 'demo', passedOver });
    expect(without.topFrame).not.toBe(topFrame);
    expect(without.signature).not.toBe(signature);
  });

  test('leave the event loop free, whatever the report', async () => {
    const readers = opened();
    const hostile = [
      '('.repeat(128 * 1024),
      `    #0 0x1 in ${'f<'.repeat(60_000)}\n`,
      'ERROR: AddressSanitizer: '.repeat(5000),
    ];
    await read(readers, ''); // a thread is there
    let over = false;
    const reading = Promise.all(hostile.map((report) => read(readers, report)));
    void reading.then(() => {
      over = true;
    });
    // Nothing of it runs within a turn of this loop: turns go by before the first answer.
    let turns = 0;
    for (; !over; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns).toBeGreaterThan(3);
    expect(await reading).toHaveLength(hostile.length);
  });

  test('are replaced when they end between two reports, which are both read', async () => {
    // Time stands still: a thread that never answers would be waited for.
    const readers = opened({ program: endless, threads: 1, clock: new VirtualClock() });
    await read(readers, 'last');
    await eventually(async () => readers.threadCount === 0 || undefined);
    expect(await read(readers, 'v2=parse/10')).toMatchObject({ topFrame: 'parse' });
  });

  test('count a report as unreadable that two do not come back from, and go on', async () => {
    const clock = new VirtualClock();
    const readers = opened({ program: endless, threads: 1, clock, deadlineMs: 1000 });
    let isOver = false;
    const stuck = read(readers, 'endless').finally(() => {
      isOver = true;
    });
    const next = read(readers, 'v2=parse/10');
    clock.advance(1000);
    expect(await next).toMatchObject({ topFrame: 'parse' });
    expect(isOver).toBe(false);
    await eventually(async () => {
      clock.advance(6000);
      return isOver || undefined;
    });
    expect(await stuck).toMatchObject({ kind: 'unknown', distinction: '', signatureVersion: 2 });
    expect(await read(readers, 'deadly')).toMatchObject({ kind: 'unknown' });
    expect(await read(readers, 'v2=parse/10')).toMatchObject({ topFrame: 'parse' });
  });

  test('refuse what is still to be read when they are closed', async () => {
    const readers = opened({ program: endless, threads: 1, clock: new VirtualClock() });
    const stuck = read(readers, 'endless');
    const waiting = read(readers, 'v2=parse/10');
    const refused = Promise.allSettled([stuck, waiting, readers.close()]);
    expect(await refused).toMatchObject([
      { status: 'rejected', reason: { name: 'ShuttingDownError' } },
      { status: 'rejected', reason: { name: 'ShuttingDownError' } },
      { status: 'fulfilled' },
    ]);
    await expect(read(readers, '')).rejects.toMatchObject({ name: 'ShuttingDownError' });
  });
});
