import { expect, test } from '@jest/globals';
import { LiveToken } from '../../../src/state/access/live-token.js';
import { PageSessions } from '../../../src/state/access/page-sessions.js';
import { VirtualClock } from '../../virtual-clock.js';

const minute = 60_000;
const hour = 60 * minute;

const tokenOf = (id: string, expires_at: number | null = null) =>
  new LiveToken({
    ...{ id, name: id, role: 'viewer', pool: '', bot_id: null, hash: '00' },
    ...{ projects: '[]', certificate: '' },
    ...{ created_by: 'test', created_at: 0, expires_at, last_used_at: null },
    ...{ revoked_at: null, revoked_by: null },
  });

function open() {
  const clock = new VirtualClock();
  const sessions = new PageSessions(clock, {
    session_idle: 12 * hour,
    session_lifetime: 168 * hour,
  });
  const isIn = (secret: string) => {
    try {
      sessions.find(secret);
      return true;
    } catch {
      return false;
    }
  };
  return { clock, sessions, isIn };
}

test('a session ends when it is idle, and after its lifetime however much it is used', async () => {
  const { clock, sessions, isIn } = open();
  const idle = sessions.begin(tokenOf('a'));
  let used = sessions.begin(tokenOf('b'));
  for (let hours = 0; hours < 167; hours++) {
    await clock.advance(hour);
    used = sessions.find(used).renewed ?? used;
    if (hours === 12) expect([isIn(idle), sessions.count]).toEqual([false, 1]);
  }
  expect(isIn(used)).toBe(true);
  await clock.advance(hour);
  expect([isIn(used), sessions.count]).toEqual([false, 0]);
});

test('its secret is replaced; the one before is good for calls under way, and later ends it', async () => {
  const { clock, sessions, isIn } = open();
  const first = sessions.begin(tokenOf('a'));
  await clock.advance(15 * minute);
  const { renewed: lost } = sessions.find(first);
  // The answer was lost: the first one brings another.
  await clock.advance(2 * minute);
  const second = String(sessions.find(first).renewed);
  expect([second === lost, isIn(String(lost)), isIn(second), isIn(first)]).toEqual([
    ...[false, false, true, true],
  ]);
  await clock.advance(2 * minute);
  // Somebody has kept a copy.
  expect([isIn(first), isIn(second), sessions.count]).toEqual([false, false, 0]);
});

test('a token has so many sessions, the master so many in all, and the oldest go', () => {
  const { sessions, isIn } = open();
  const one = tokenOf('one');
  const secrets = Array.from({ length: 101 }, () => sessions.begin(one));
  expect(secrets.map(isIn)).toEqual([false, ...Array.from({ length: 100 }, () => true)]);
  for (let token = 0; token < 99; token++) {
    const other = tokenOf(`t${token}`);
    for (let count = 0; count < 100; count++) sessions.begin(other);
  }
  expect(sessions.count).toBe(10_000);
  const last = sessions.begin(tokenOf('last'));
  expect([sessions.count, isIn(last), isIn(String(secrets[1]))]).toEqual([10_000, true, false]);
  sessions.stop();
});

test('what a session holds open is closed with it, and it is of no use without its token', async () => {
  const { clock, sessions, isIn } = open();
  const token = tokenOf('a', clock.now() + hour);
  const secret = sessions.begin(token);
  const { session } = sessions.find(secret);
  let closed = 0;
  session.closers.add(() => closed++);
  sessions.end(session);
  expect([closed, isIn(secret)]).toEqual([1, false]);
  const other = sessions.begin(token);
  await clock.advance(hour);
  for (let call = 0; call < 2; call++) expect(() => sessions.find(other)).toThrow('expired');
  await clock.advance(12 * hour);
  expect(sessions.count).toBe(0);
});
