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
  const env = { PATH: process.env['PATH'], HTTP_PROXY: proxy.url };
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { env });
  expect((await receiver.next()).path).toBe('/near');
  expect((await proxy.next()).path).toBe('http://bugs.test/far');
  expect([receiver.inbox.size, proxy.inbox.size]).toEqual([0, 0]);
});

test('a proxy that nothing answers through is named in the failure, without its password', async () => {
  const code = `
    import { post } from './dist/src/state/notifications/post.js';
    import { systemClock } from './dist/src/core/clock.js';
    import { LightSignal } from './dist/src/core/signal.js';
    const within = { clock: systemClock, timeoutMs: 10_000, signal: new LightSignal() };
    const to = { url: new URL('http://bugs.test/far'), headers: {}, body: '{}' };
    await post(to, within).catch((error) => process.stdout.write(error.message));`;
  const env = { PATH: process.env['PATH'], http_proxy: 'http://ann:secret@127.0.0.1:9' };
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    env,
  });
  expect((await run).stdout).toBe(
    'connect ECONNREFUSED 127.0.0.1:9, through the proxy of http_proxy (http://127.0.0.1:9): unset http_proxy, or add bugs.test to no_proxy, if none is needed',
  );
});
