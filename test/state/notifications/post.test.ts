import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { Receiver } from './receiver.js';

test('a proxy of the environment is not used for loopback, and is for other hosts', async () => {
  const [proxy, receiver] = [await Receiver.open(), await Receiver.open()];
  const code = `
    import { post } from './dist/src/state/notifications/post.js';
    import { systemClock } from './dist/src/core/clock.js';
    import { LightSignal } from './dist/src/core/signal.js';
    const within = { clock: systemClock, timeoutMs: 10_000, signal: new LightSignal() };
    for (const url of ['${receiver.url}/near', 'http://bugs.test/far'])
      await post({ url: new URL(url), headers: {}, body: '{}' }, within);`;
  const env = { PATH: process.env['PATH'], NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url };
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { env });
  expect((await receiver.next()).path).toBe('/near');
  expect((await proxy.next()).path).toBe('http://bugs.test/far');
  expect([receiver.inbox.size, proxy.inbox.size]).toEqual([0, 0]);
});
