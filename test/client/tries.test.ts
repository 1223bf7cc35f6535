import { status as Code, Metadata } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Tries } from '../../src/client/passing.js';
import { VirtualClock } from '../virtual-clock.js';

/** As a client of grpc-js gets it; with an id, the master itself answered. */
function failure(code: Code, { isAnswer }: { isAnswer: boolean }): Error {
  const metadata = new Metadata();
  if (isAnswer) metadata.set('x-request-id', 'r1');
  return Object.assign(new Error('13 INTERNAL: why'), { code, details: 'why', metadata });
}

/** Fails each try with this error, until no other is to be made. */
async function tried(error: Error) {
  const clock = new VirtualClock();
  const told: number[] = [];
  const onTrouble = (_why: string, forMs: number) => void told.push(forMs);
  const { signal } = new AbortController();
  const tries = new Tries({ signal, onTrouble, clock, random: () => 0.5 });
  for (let count = 1; ; count++) {
    const next = tries.again(error).then(() => true);
    const isOver = next.catch((why) => (why === error ? false : Promise.reject(why)));
    clock.advance(15_000);
    if (!(await isOver)) return { count, told, lastedMs: clock.monotonic() };
  }
}

test('an error of the master itself is tried a few times, and trouble of the line for minutes', async () => {
  const answered = await tried(failure(Code.INTERNAL, { isAnswer: true }));
  expect(answered.count).toBe(6);
  const broken = await tried(failure(Code.INTERNAL, { isAnswer: false }));
  expect(broken.count).toBe(41);
  expect(broken.told[0]).toBeGreaterThanOrEqual(3000);
  const pauses = broken.told.slice(1).map((ms, index) => ms - (broken.told[index] ?? 0));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(30_000);
});

test('a transfer that gets further is not counted against', async () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const { signal } = new AbortController();
  const onTrouble = (why: string) => void told.push(why);
  const tries = new Tries({ signal, onTrouble, clock, random: () => 0.5 });
  for (let count = 0; count < 100; count++) {
    const next = tries.again(failure(Code.INTERNAL, { isAnswer: true }));
    clock.advance(15_000);
    await next;
    tries.gotFurther();
  }
  expect(told).toEqual([]);
});
