import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../../src/core/clock.js';
import { type CallPath, plainPath } from '../../../src/rpc/call-path.js';
import { SendQueue } from '../../../src/rpc/streams/send-queue.js';

/** A queue to a peer that takes nothing: what was written to it, in order. */
function queueToSlowPeer() {
  const written: string[] = [];
  const stream = new Writable({ objectMode: true, write() {} });
  const send: CallPath['send'] = (_, messages) => {
    written.push(...messages.map(String));
  };
  const path = { ...plainPath, send };
  const queue = new SendQueue<string>({ stream, path, clock: systemClock, stallMs: 60_000 });
  return { queue, written };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('the latest message waits for a peer that is behind, and of several only the last', async () => {
  const { queue, written } = queueToSlowPeer();
  queue.send('welcome');
  await nextTurn();
  queue.sendLatest('ack 1');
  queue.sendLatest('ack 2');
  await nextTurn();
  expect(written).toEqual(['welcome']);
});

test('the latest message is not lost when the stream ends while its peer is behind', async () => {
  const { queue, written } = queueToSlowPeer();
  queue.send('welcome');
  await nextTurn();
  queue.sendLatest('ack 1');
  queue.finish();
  expect(written).toEqual(['welcome', 'ack 1']);
});
