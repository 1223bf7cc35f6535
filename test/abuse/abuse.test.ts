import { beforeAll, describe, expect, test } from '@jest/globals';
import { shared } from '../endings.js';
import type { Abuse } from './abuse.js';
import { Stage } from './stage.js';
import { connections } from './table/connections.js';
import { http } from './table/http.js';
import { identity } from './table/identity.js';
import { inputs } from './table/inputs.js';
import { page } from './table/page.js';
import { requests } from './table/requests.js';
import { signIn } from './table/sign-in.js';
import { tls } from './table/tls.js';

/**
 * What the master is abused with, and how it ends. After each: the masters live, their memory is
 * bounded, and another bot's beats go on, on the stream that it has had from the beginning.
 */
const table: Readonly<Record<string, readonly Abuse[]>> = {
  'a call': requests,
  'a connection': connections,
  'a caller': identity,
  'a field': inputs,
  'the HTTP port': http,
  'the page': page,
  'a sign-in': signIn,
  'a handshake of TLS': tls,
};

let stage: Stage;
/** Abuses that wait for a time of the master's. */
const begun = new Map<Abuse, Promise<string>>();

beforeAll(async () => {
  stage = await shared(() => Stage.set());
  await shared(async () => {
    for (const abuse of Object.values(table).flat()) {
      if (!abuse.isSlow) continue;
      const end = abuse.by(stage);
      end.catch(() => {}); // its test reports it
      begun.set(abuse, end);
    }
  });
});

describe.each(Object.entries(table))('%s:', (_, abuses) => {
  test.each(abuses.map((abuse) => [abuse.name, abuse] as const))('%s', async (_name, abuse) => {
    const { beats } = stage.honest;
    const end = await (begun.get(abuse) ?? abuse.by(stage));
    if (typeof abuse.ends === 'string') expect(end).toBe(abuse.ends);
    else expect(end).toMatch(abuse.ends);
    expect(await stage.problems(beats)).toEqual([]);
  });
});

test('there are at least sixty of them, each with a name of its own', () => {
  const names = Object.values(table).flatMap((abuses) => abuses.map(({ name }) => name));
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
});
