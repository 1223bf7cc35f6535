import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { shared, temporaryFolder } from '../harness.js';
import { Person } from '../providers/person.js';
import { settingsFor, startProvider } from '../providers/real.js';
import { runSecuredMaster, type SecuredMaster } from '../secured.js';
import { given } from '../steps.js';
import { pandafuzz, startPandafuzz } from './run.js';

let scene: SecuredMaster;
beforeAll(async () => {
  scene = await shared(async () => {
    const { issuer } = await startProvider();
    return await runSecuredMaster(settingsFor(issuer));
  });
});

/** A user of one machine. */
class User {
  readonly #folder = temporaryFolder();
  readonly file = join(this.#folder, 'pandafuzz', 'credentials.json');
  readonly environment = {
    PANDAFUZZ_MASTER: scene.address,
    XDG_CONFIG_HOME: this.#folder,
    BROWSER: '/bin/true',
  };

  run(...args: string[]) {
    return pandafuzz(args, { environment: this.environment });
  }

  /** Runs `pandafuzz login`; `back` has the browser's last address. */
  async login(back: (address: string, input: NodeJS.WritableStream) => unknown, who = 'alice') {
    const { child, ended } = startPandafuzz(['login'], { environment: this.environment });
    const { stdin, stderr } = child;
    let text = '';
    let url: string | undefined;
    while (stderr && !url) {
      text += (await once(stderr, 'data'))[0];
      url = /^ +(http\S+)\n/m.exec(text)?.[1];
    }
    const address = await new Person(who).signInAt(given(url));
    const shown = await back(address, given(stdin ?? undefined));
    return { ...(await ended), shown };
  }
}

const byBrowser = async (address: string) => (await fetch(address)).text();

describe('a person', () => {
  test('signs in by a browser; commands are theirs until they sign out', async () => {
    const user = new User();
    const before = await user.run('whoami');
    expect([before.code, before.err]).toEqual([77, expect.stringContaining('pandafuzz login')]);
    const made = await user.login(byBrowser);
    expect(made.out).toMatch(
      /^signed in to \S+ as alice@example\.org: operator of projects shop, web, 12 h left, until 20\S+Z\n$/,
    );
    expect(made.shown).toContain('You are signed in to PandaFuzz as alice@example.org.');
    expect(statSync(user.file).mode & 0o777).toBe(0o600);
    expect(statSync(join(user.file, '..')).mode & 0o777).toBe(0o700);
    expect((await user.run('whoami')).out).toMatch(/alice@example\.org.*operator.*12 h left/s);
    const { token } = JSON.parse(readFileSync(user.file, 'utf8'))[scene.address];
    expect(made.out + made.err).not.toContain(token);

    const out = await user.run('logout');
    expect(out.out).toBe(`signed out of ${scene.address}, where you were alice@example.org\n`);
    expect(readFileSync(user.file, 'utf8')).not.toContain('pf_');
    const late = await user.run('whoami', '--token-file', writtenTo(token));
    expect([late.code, late.err]).toEqual([77, 'pandafuzz: this token was revoked\n']);
    expect((await user.run('logout')).err).toContain('you are not signed in');
  });

  test('pastes the address where the browser is elsewhere', async () => {
    const user = new User();
    const made = await user.login((address, input) => input.write(`${address}\n`));
    expect([made.code, made.out]).toEqual([0, expect.stringContaining('alice@example.org')]);
  });

  test('who may not is told why, and nothing is kept', async () => {
    const user = new User();
    const made = await user.login(byBrowser, 'mallory');
    expect([made.code, made.err]).toEqual([
      77,
      expect.stringContaining('none of your groups has a role here'),
    ]);
    expect(made.shown).toContain('The sign-in did not succeed');
    expect(existsSync(user.file)).toBe(false);
  });

  test('keeps a token where there is no provider', async () => {
    const user = new User();
    const made = await user.run('login', '--token-file', writtenTo(scene.adminToken));
    expect(made.out).toMatch(/as first admin: admin, valid\n$/);
    expect((await user.run('token', 'list')).code).toBe(0);
    const out = await user.run('logout');
    expect(out.out).toContain('the token itself goes on at the master');
  });
});

function writtenTo(token: string): string {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, token);
  return file;
}
