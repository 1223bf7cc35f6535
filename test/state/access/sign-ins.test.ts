import { expect, test } from '@jest/globals';
import { loadMasterConfig } from '../../../src/config/load.js';
import { newId } from '../../../src/core/ids.js';
import { silentLog } from '../../../src/core/log.js';
import { SignIns } from '../../../src/state/access/sign-ins.js';
import type { Tokens } from '../../../src/state/access/tokens.js';
import { testContext } from '../../harness.js';
import { CrookedProvider } from '../../providers/crooked.js';
import { settingsFor } from '../../providers/real.js';
import { VirtualClock } from '../../virtual-clock.js';

const minute = 60_000;

/** No sign-in of these gets so far that a token is made. */
const noTokens = {} as Tokens;

async function scene() {
  const { issuer } = await CrookedProvider.start();
  const { oidc } = loadMasterConfig({ environment: settingsFor(issuer) });
  const clock = new VirtualClock();
  const process = () => new SignIns(oidc, { tokens: noTokens, clock, log: silentLog, newId });
  const begin = async (signIns: SignIns) =>
    (await signIns.begin('http://127.0.0.1:1/callback')).signIn;
  return { clock, process, begin };
}

/** Why a sign-in is not finished. */
const refusal = (signIns: SignIns, signIn: string): Promise<string> =>
  signIns.finish(testContext(), { signIn, answer: 'code=1&state=2' }).then(
    () => 'none',
    (error) => error.fields.reason ?? error.name,
  );

test('a sign-in is of no use after ten minutes, and after a restart of the master', async () => {
  const { clock, process, begin } = await scene();
  const signIns = process();
  const [first, second, third] = [await begin(signIns), await begin(signIns), await begin(signIns)];
  clock.advance(10 * minute - 1);
  expect(await refusal(signIns, first)).toBe('SIGN_IN_REFUSED');
  expect(await refusal(signIns, first)).toBe('SIGN_IN_USED');
  expect(await refusal(process(), second)).toBe('SIGN_IN_EXPIRED');
  clock.advance(1);
  expect(await refusal(signIns, third)).toBe('SIGN_IN_EXPIRED');
  expect(await refusal(signIns, first)).toBe('SIGN_IN_EXPIRED');
});

test('one address may finish a hundred at once, and then one a second', async () => {
  const { clock, process } = await scene();
  const signIns = process();
  const ends: string[] = [];
  for (let i = 0; i < 101; i++) ends.push(await refusal(signIns, 'invented'));
  expect(ends.slice(99)).toEqual(['SIGN_IN_EXPIRED', 'OverloadError']);
  clock.advance(1000);
  expect(await refusal(signIns, 'invented')).toBe('SIGN_IN_EXPIRED');
  expect(await refusal(signIns, 'invented')).toBe('OverloadError');
});
