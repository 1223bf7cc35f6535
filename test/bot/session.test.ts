import { once } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { givenUp, Session, type SessionWork } from '../../src/bot/session.js';
import { type Connection, connect } from '../../src/client/connect.js';
import { silentLog } from '../../src/core/log.js';
import { VirtualClock } from '../virtual-clock.js';
import { ScriptedMaster } from './scripted-master.js';

/** A stream to a scripted master over the real wire, on a clock that the test moves. */

const heartbeatIntervalMs = 30_000;
const work: SessionWork = {
  ...{ free: 1, leases: [], statuses: [], done: [] },
  has: () => false,
  assign: () => 'not now',
  cancel: () => {},
  abandon: () => {},
  settle: () => {},
};

let master: ScriptedMaster;
let connection: Connection;
let clock: VirtualClock;

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  connection = connect(master.address);
  clock = new VirtualClock();
});

afterEach(() => {
  connection.close();
  master.stop();
});

/** Welcomed; its first beat has arrived, and is answered if beats are to be. */
async function welcomed(answersBeats: boolean) {
  const call = connection.bots.heartbeat(new Metadata());
  const session = new Session(call, work, {
    identity: { botId: 'bot', instanceId: 'instance' },
    resources: () => ({ loadAverage: 0, memoryFreeBytes: 0, diskFreeBytes: 0 }),
    onWelcome: () => {},
    log: silentLog,
    clock,
  });
  const { peer } = await master.nextStream();
  peer.answersBeats = answersBeats;
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

test('beats that are answered come once an interval', async () => {
  const { call, peer } = await welcomed(true);
  for (const sequence of [2, 3, 4]) {
    await once(call, 'data'); // the answer to the one before
    clock.advance(heartbeatIntervalMs);
    expect(await peer.next('beat')).toMatchObject({ sequence });
  }
});
