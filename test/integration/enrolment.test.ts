import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { temporaryFolder } from '../harness.js';
import { Process } from '../processes.js';
import { runSecuredMaster } from '../secured.js';

test('a bot enrols once, is itself after a restart, and is refused after its revocation', async () => {
  const { admin, address, token } = await runSecuredMaster();
  const { bots, identity } = admin;
  const enrol = await token(Role.ENROL, { pool: 'rented' });
  const folder = temporaryFolder();
  const environment = { PANDAFUZZ_TOKEN: enrol.secret };
  const args = ['bot', '--name', 'north', '--work-dir', folder, '--master', address];
  const first = new Process(args, environment);
  await first.says('master connected');
  expect(first.said).not.toContain(enrol.secret);
  const credential = join(folder, 'credential');
  expect(statSync(credential).mode & 0o777).toBe(0o600);
  expect(readFileSync(credential, 'utf8')).toMatch(/^pf_bot_[0-9a-f]{64}\n$/);
  const page = { pageSize: 0, pageToken: '' };
  const [bot] = (await unary(bots, bots.listBots, page)).bots;
  expect(bot).toMatchObject({ name: 'north', labels: { pool: 'rented' } });
  first.end('SIGTERM');
  await first.exited;

  // The token that enrols is used: what the folder has wins.
  const second = new Process(args, environment);
  await second.says('master connected');
  const { tokens } = await unary(identity, identity.listTokens, page);
  const own = tokens.find(({ role }) => role === Role.BOT);
  expect(own).toMatchObject({ name: 'north', botId: bot?.id });
  await unary(identity, identity.revokeToken, { tokenId: own?.id ?? '' });
  await second.says('"msg":"bot refused"');
  expect(second.said).toContain('this token was revoked');
  second.end('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
});
