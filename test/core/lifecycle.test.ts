import { expect, test } from '@jest/globals';
import { Lifecycle } from '../../src/core/lifecycle.js';
import { silentLog } from '../../src/core/log.js';

test('parts stop once, last started first', async () => {
  const lifecycle = new Lifecycle(silentLog);
  const stopped: string[] = [];
  for (const part of ['store', 'state', 'grpc']) lifecycle.own(part, () => void stopped.push(part));
  await Promise.all([lifecycle.stop(1000), lifecycle.stop(1000)]);
  expect(stopped).toEqual(['grpc', 'state', 'store']);
});

test('a part that fails to stop, or never does, keeps no other from stopping', async () => {
  const lifecycle = new Lifecycle(silentLog);
  let stopped = false;
  lifecycle.own('good', () => {
    stopped = true;
  });
  lifecycle.own('broken', () => {
    throw new Error('broken');
  });
  lifecycle.own('hanging', () => new Promise<void>(() => {}));
  await lifecycle.stop(20);
  expect(stopped).toBe(true);
});
