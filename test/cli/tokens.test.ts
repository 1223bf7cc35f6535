import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { tokenCommand } from '../../src/cli/token.js';
import { unary } from '../../src/client/call.js';
import { Role } from '../../src/gen/pandafuzz/v1/identity_service.js';
import { runMasterFor, shared, temporaryFolder } from '../harness.js';
import { runSecuredMaster, type SecuredMaster } from '../secured.js';
import { pandafuzz } from './run.js';

let scene: SecuredMaster;
beforeAll(async () => {
  scene = await shared(() => runSecuredMaster());
});

/** Runs a command with this token, the admin's unless another is named. */
function asked(args: readonly string[], token = scene.adminToken) {
  const environment = { PANDAFUZZ_MASTER: scene.address, PANDAFUZZ_TOKEN: token };
  return pandafuzz(args, { environment });
}

describe('a command', () => {
  test('makes a token, which is good until it is revoked', async () => {
    const made = await asked(['token', 'create', 'ci', '--role', 'viewer', '--expires', '1h']);
    expect(made.out).toMatch(/^pf_viewer_[0-9a-f]{64}\n$/);
    expect(made.err).toMatch(/token [0-9a-f-]{36}, viewer, 60 min left: shown this once/);
    const token = made.out.trim();
    const listed = await asked(['token', 'list']);
    expect(listed.out).toMatch(/ci +viewer +- +- +60 min left/);
    expect(listed.out).not.toContain(token.slice(-8));
    expect((await asked(['token', 'whoami'], token)).out).toMatch(/name +ci/);
    expect((await asked(['stats'], token)).code).toBe(0);
    const refused = await asked(['token', 'list'], token);
    expect(refused.code).toBe(77);
    expect(refused.err).toContain('a token of role viewer may not call this');
    expect((await asked(['token', 'revoke', 'ci'])).out).toContain('revoked by first admin');
    const late = await asked(['stats'], token);
    expect([late.code, late.err]).toEqual([77, 'pandafuzz: this token was revoked\n']);
  });

  test('without a token says where one is taken from', async () => {
    const { code, err } = await pandafuzz(['stats', '--master', scene.address]);
    expect(code).toBe(77);
    expect(err).toMatch(/takes calls with a token only: set PANDAFUZZ_TOKEN or --token-file/);
  });

  test('takes its token from a file, before the environment', async () => {
    const file = join(temporaryFolder(), 'token');
    const made = await asked(['token', 'create', 'f', '--role', 'operator', '--output', file]);
    expect([made.code, made.out]).toEqual([0, '']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const whoami = ['token', 'whoami', '--json', '--token-file', file];
    expect(JSON.parse((await asked(whoami)).out)).toMatchObject({
      token: { role: 'ROLE_OPERATOR' },
    });
    const again = await asked(['token', 'create', 'f', '--role', 'viewer', '--output', file]);
    expect(again.code).toBe(1);
    expect(readFileSync(file, 'utf8')).toMatch(/^pf_operator_/);
    const none = await asked(['stats', '--token-file', `${file}.none`]);
    expect([none.code, none.err]).toEqual([66, expect.stringContaining('cannot be read (ENOENT)')]);
    writeFileSync(file, 'not a\ntoken');
    expect((await asked(['stats', '--token-file', file])).code).toBe(65);
  });

  test.each([
    [['create', 'x'], /give a --role, or --enrol/],
    [['create', '--role', 'viewer'], /give the token a name/],
    [['create', 'x', '--role', 'king'], /Allowed choices are viewer, operator, admin, bot/],
    [['create', 'x', '--enrol', '--role', 'bot'], /cannot be used with/],
    [['create', 'x', '--enrol', '--pool', 'a b'], /must be 1 to 64 letters/],
  ])('that says %j says what is wrong', async (args, complaint) => {
    const command = tokenCommand();
    for (const one of [command, ...command.commands]) {
      one.exitOverride().configureOutput({ outputError: () => {} });
    }
    await expect(command.parseAsync(args, { from: 'user' })).rejects.toThrow(complaint);
  });
});

test('an admin who has lost every token makes one where the database is', async () => {
  const directory = temporaryFolder();
  const create = ['token', 'create', 'me', '--role', 'admin', '--data', directory];
  const empty = await pandafuzz(create);
  expect([empty.code, empty.err]).toEqual([66, expect.stringContaining('has no database')]);
  const first = await runMasterFor({}, directory);
  const busy = await pandafuzz(create);
  expect(busy.code).toBe(1);
  expect(busy.err).toContain('belongs to another master');
  await first.master.stop();
  const made = await pandafuzz(create);
  expect(made.out).toMatch(/^pf_admin_[0-9a-f]{64}\n$/);
  const second = await runMasterFor({ PANDAFUZZ_AUTH_MODE: 'on' }, directory);
  const environment = { PANDAFUZZ_MASTER: second.address, PANDAFUZZ_TOKEN: made.out.trim() };
  const { identity } = scene.as(made.out.trim());
  await expect(unary(identity, identity.getCaller, {})).rejects.toThrow(/does not know the token/);
  const whoami = await pandafuzz(['token', 'whoami', '--json'], { environment });
  expect(JSON.parse(whoami.out)).toMatchObject({ token: { role: `ROLE_${Role[Role.ADMIN]}` } });
});
