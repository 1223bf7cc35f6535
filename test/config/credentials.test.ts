import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  type Credential,
  credentialsFile,
  keepCredential,
  keptCredential,
} from '../../src/config/credentials.js';
import { callersToken } from '../../src/config/token.js';
import { temporaryFolder } from '../harness.js';

const master = '127.0.0.1:50051';
const one: Credential = { token: 'pf_viewer_1', name: 'alice', isSecret: false };

const user = () => ({ XDG_CONFIG_HOME: temporaryFolder() });

function keeping(change: Partial<Credential> = {}) {
  const environment = user();
  keepCredential(master, { ...one, ...change }, environment);
  return environment;
}

describe('a sign-in', () => {
  test('is kept for its master, and for no other', () => {
    const environment = keeping();
    expect(callersToken({ master }, environment)).toBe(one.token);
    expect(callersToken({ master: 'localhost:50051' }, environment)).toBeUndefined();
    expect(callersToken({ master: '__proto__' }, environment)).toBeUndefined();
    keepCredential('b:1', { ...one, token: 'pf_b' }, environment);
    keepCredential(master, undefined, environment);
    expect(keptCredential(master, environment)).toBeUndefined();
    expect(callersToken({ master: 'b:1' }, environment)).toBe('pf_b');
  });

  test('gives way to a token that is given, and is not looked at then', () => {
    const environment = { ...keeping(), PANDAFUZZ_TOKEN: 'pf_given' };
    chmodSync(credentialsFile(environment), 0o644);
    expect(callersToken({ master }, environment)).toBe('pf_given');
  });

  test('that has ended, or was made over TLS, is not sent, and it is said why', () => {
    const ended = keeping({ expiresAt: 1 });
    expect(() => callersToken({ master }, ended)).toThrow(/ended at 1970.*"pandafuzz login" again/);
    const secret = keeping({ isSecret: true });
    expect(() => callersToken({ master }, secret)).toThrow(/over TLS alone: give --ca/);
    expect(callersToken({ master, ca: 'ca.crt' }, secret)).toBe(one.token);
  });

  test('is not used from a file that others can read, or that is damaged', () => {
    const environment = keeping();
    const file = credentialsFile(environment);
    chmodSync(file, 0o640);
    expect(() => callersToken({ master }, environment)).toThrow(/can be read by others: chmod 600/);
    chmodSync(file, 0o600);
    writeFileSync(file, readFileSync(file, 'utf8').replace('pf_viewer_1', 'two words'));
    const damaged = () => callersToken({ master }, environment);
    expect(damaged).toThrow(/is damaged: delete it/);
    expect(damaged).not.toThrow(/two words/);
  });

  test('of long ago goes when another is kept, and there are at most a hundred', () => {
    const environment = keeping({ expiresAt: 1 });
    for (let i = 0; i < 101; i++) keepCredential(`m:${i}`, one, environment);
    const kept = Object.keys(JSON.parse(readFileSync(credentialsFile(environment), 'utf8')));
    expect(kept).toHaveLength(100);
    expect([kept.includes(master), kept.includes('m:0'), kept.includes('m:100')]).toEqual([
      ...[false, false, true],
    ]);
  });

  test('has its file in the home folder where XDG_CONFIG_HOME is no whole path', () => {
    expect(credentialsFile({ XDG_CONFIG_HOME: 'here' })).toMatch(
      /^\/.*\/\.config\/pandafuzz\/credentials\.json$/,
    );
  });
});
