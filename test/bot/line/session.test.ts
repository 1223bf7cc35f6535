import { once } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { givenUp, Session, type SessionWork } from '../../../src/bot/line/session.js';
import { type Connection, connect } from '../../../src/client/connect.js';
import { silentLog } from '../../../src/core/log.js';
import { VirtualClock } from '../../virtual-clock.js';
import { ScriptedMaster } from '../scripted-master.js';

/** A stream to a scripted master over the real wire, on a clock that the test moves. */

const heartbeatIntervalMs = 30_000;
const work: SessionWork = {
  free: 1,
  leases: [],
  statuses: [],
  done: [],
  has: () => false,
  assign: () => 'not now',
  cancel: () => {},
  abandon: () => {},
  settle: () => {},
};

let master: ScriptedMaster;
let connection: Connection;
let clock: VirtualClock;
/** When beats were made. */
let beatAt: number[];

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  connection = connect(master.address);
  clock = new VirtualClock();
  beatAt = [];
});

afterEach(() => {
  connection.close();
  master.stop();
});

/** Welcomed; its first beat has arrived, and is answered if beats are to be. */
async function welcomed(answersBeats: boolean, nextBeatInMs = 0) {
  const call = connection.bots.heartbeat(new Metadata());
  const session = new Session(call, work, {
    identity: { botId: 'bot', instanceId: 'instance' },
    resources() {
      beatAt.push(clock.monotonic());
      return { loadAverage: 0, memoryFreeBytes: 0, diskFreeBytes: 0 };
    },
    onWelcome: () => {},
    log: silentLog,
    clock,
  });
  const { peer } = await master.nextStream();
  Object.assign(peer, { answersBeats, nextBeatInMs });
  peer.say({ $case: 'welcome', value: { heartbeatIntervalMs, leaseTtlMs: 90_000, leases: [] } });
  expect(await peer.next('beat')).toMatchObject({ sequence: 1 });
  return { call, session, peer };
}

test('a beat without an answer is followed by others soon, and by the end of the stream', async () => {
  const { session, peer } = await welcomed(false);
  clock.advance(5000);
  expect(await peer.next('beat')).toMatchObject({ sequence: 2 });
  clock.advance(5000);
  expect(await peer.next('beat')).toMatchObject({ sequence: 3 });
  clock.advance(5000);
  expect(await session.ended).toMatchObject({ code: givenUp, wasWelcomed: true });
});

test.each([
  ['an interval', 0, heartbeatIntervalMs],
  ['the time that the answer asks for', 12_345, 12_345],
])('beats that are answered come after %s', async (_, nextBeatInMs, delayMs) => {
  const { call, peer } = await welcomed(true, nextBeatInMs);
  for (const sequence of [2, 3, 4]) {
    await once(call, 'data'); // the answer to the one before
    clock.advance(delayMs);
    expect(await peer.next('beat')).toMatchObject({ sequence });
  }
  expect(beatAt).toEqual([0, 1, 2, 3].map((count) => count * delayMs));
});

test('the answer to a beat that says that a slot is free moves nothing', async () => {
  const { call, session, peer } = await welcomed(true, 10_000);
  await once(call, 'data');
  clock.advance(9000);
  session.beat();
  expect(await peer.next('beat')).toMatchObject({ sequence: 2 });
  await once(call, 'data');
  clock.advance(1000);
  expect(await peer.next('beat')).toMatchObject({ sequence: 3 });
  expect(beatAt).toEqual([0, 9000, 10_000]);
});
