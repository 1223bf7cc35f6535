import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certCommand } from '../../src/cli/cert.js';
import {
  initCertificates,
  makeClientCertificate,
} from '../../src/operator/certificates/commands.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { pandafuzz } from './run.js';

test('what cert init makes is enough for a master and its operators', async () => {
  const cwd = temporaryFolder();
  const made = await pandafuzz(
    ['cert', 'init', '--host', 'fuzz.example.org', '--client', 'north'],
    {
      cwd,
    },
  );
  expect([made.code, made.err]).toEqual([0, '']);
  expect(made.out).toMatch(/server\.crt and .*server\.key of .*fuzz\.example\.org.*, until 20/);
  const dir = join(cwd, 'tls');
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
  const read = (name: string) => new X509Certificate(readFileSync(join(dir, name)));
  const ca = read('ca.crt');
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  const server = read('server.crt');
  expect(server.checkHost('fuzz.example.org')).toBe('fuzz.example.org');
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(server.ca).toBe(false);
  for (const one of [server, read('north.crt')]) expect(one.checkIssued(ca)).toBe(true);

  const { address } = await runMasterFor({
    PANDAFUZZ_TLS_CERT: join(dir, 'server.crt'),
    PANDAFUZZ_TLS_KEY: join(dir, 'server.key'),
    PANDAFUZZ_TLS_CLIENT_CA: join(dir, 'ca.crt'),
  });
  const environment = { PANDAFUZZ_CA: 'tls/ca.crt', PANDAFUZZ_MASTER: address };
  const own = ['--cert', 'tls/north.crt', '--key', 'tls/north.key'];
  const asked = await pandafuzz(['stats', ...own], { cwd, environment });
  expect([asked.code, asked.err]).toEqual([0, '']);
  const without = await pandafuzz(['stats'], { cwd, environment });
  expect([without.code, without.err]).toEqual([69, expect.stringContaining('--cert and --key')]);
});

test('nothing is overwritten, and a CA that is there makes more', async () => {
  const dir = join(temporaryFolder(), 'tls');
  const flags = { dir, days: 30, json: true };
  const out: string[] = [];
  const { write } = process.stdout;
  process.stdout.write = (text) => out.push(String(text)) > 0;
  try {
    await expect(makeClientCertificate(flags, 'east')).rejects.toMatchObject({ exitCode: 66 });
    await initCertificates(flags);
    const before = readFileSync(join(dir, 'ca.key'), 'utf8');
    await expect(initCertificates(flags)).rejects.toThrow(/is there already/);
    await makeClientCertificate(flags, 'east');
    writeFileSync(join(dir, 'west.crt'), 'mine');
    await expect(makeClientCertificate(flags, 'west')).rejects.toThrow(
      /west\.crt is there already/,
    );
    expect(readFileSync(join(dir, 'ca.key'), 'utf8')).toBe(before);
    expect(readdirSync(dir)).not.toContain('west.key');
  } finally {
    process.stdout.write = write;
  }
  expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({
    certificates: [{ name: 'east', names: ['east'] }],
  });
});

test.each([
  [['init', '--host', 'https://a'], /must be a name or an IP address/],
  [['init', '--client', '../x'], /must be 1 to 64 letters/],
  [['client', 'ca'], /other than ca/],
  [['init', '--days', '0'], /whole number from 1 to 3650/],
])('a command that says %j says what is wrong', async (args, complaint) => {
  const command = certCommand();
  for (const one of [command, ...command.commands]) {
    one.exitOverride().configureOutput({ outputError: () => {} });
  }
  await expect(command.parseAsync(args, { from: 'user' })).rejects.toThrow(complaint);
});
