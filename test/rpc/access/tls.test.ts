import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import { type Connection, connect } from '../../../src/client/connect.js';
import { describeFailure } from '../../../src/client/failure.js';
import { formatAddress } from '../../../src/config/quantities.js';
import { Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import {
  type Made,
  makeCa,
  makeClient,
  makeServer,
  revoke,
} from '../../../src/operator/certificates/make.js';
import { atEnd, runMasterFor, shared, type TestMaster, temporaryFolder } from '../../harness.js';
import { eventually, given } from '../../steps.js';

const now = { from: new Date(), days: 30 };
const gone = { from: new Date(now.from.getTime() - 20 * 86_400_000), days: 10 };

interface Scene extends TestMaster {
  readonly ca: Made;
  readonly otherCa: Made;
  readonly folder: string;
  readonly lines: string[];
  /** Its data. */
  readonly data: string;
}

function write(folder: string, name: string, { cert, key }: Made): void {
  // As a whole, as programs that renew certificates do it.
  for (const [ending, text] of Object.entries({ key, crt: cert })) {
    const path = join(folder, `${name}.${ending}`);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
}

async function secured(settings: Record<string, string> = {}): Promise<Scene> {
  const [folder, data] = [temporaryFolder(), temporaryFolder()];
  const [ca, otherCa] = await Promise.all([makeCa('ours', now), makeCa('other', now)]);
  write(folder, 'server', await makeServer(ca, ['127.0.0.1', 'localhost'], now));
  write(folder, 'ca', ca);
  const early = await makeClient(ca, 'early', now);
  writeFileSync(join(folder, 'ca.crl'), await revoke(ca, early.cert));
  const lines: string[] = [];
  const { pino } = await import('pino');
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const master = await runMasterFor(
    {
      PANDAFUZZ_TLS_CERT: join(folder, 'server.crt'),
      PANDAFUZZ_TLS_KEY: join(folder, 'server.key'),
      ...Object.fromEntries(
        Object.entries(settings).map(([key, text]) => [key, text.replace('FOLDER', folder)]),
      ),
    },
    data,
    { log },
  );
  return { ...master, ca, otherCa, folder, lines, data };
}

interface Asking {
  readonly ca?: Made;
  readonly own?: Made;
  readonly address?: string;
}

function connected(scene: Scene, { ca = scene.ca, own, address = scene.address }: Asking = {}) {
  const pair = own && { cert: Buffer.from(own.cert), key: Buffer.from(own.key) };
  const tls = () => ({ ca: Buffer.from(ca.cert), own: pair });
  const connection = connect(address, { tls });
  return connection;
}

/** Ends the connection, which would go on trying. */
async function outcomeOf({ system, address, close }: Connection): Promise<string> {
  const asked = unary(system, system.getSystemStats, {}).then(
    () => 'answered',
    (error) => describeFailure(error, address),
  );
  return await asked.finally(close);
}

async function asked(scene: Scene, asking: Asking = {}): Promise<string> {
  return await outcomeOf(connected(scene, asking));
}

/** Once the master's log has it. */
const said = ({ lines }: Scene, what: string): Promise<true> =>
  eventually(async () => lines.some((line) => line.includes(what)) || undefined);

/** Status of a page, or the code of the failure. */
function page(
  scene: Scene,
  path: string,
  own?: Made,
  headers: Record<string, string> = {},
): Promise<number | string> {
  const url = `https://${formatAddress(scene.master.http)}${path}`;
  return new Promise((resolve) => {
    get(url, { ca: scene.ca.cert, agent: false, headers, ...own }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    }).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

let scene: Scene;
beforeAll(async () => {
  scene = await shared(() => secured());
});

describe('a master with TLS', () => {
  test('answers who trusts its CA, by gRPC and HTTP', async () => {
    expect(await asked(scene)).toBe('answered');
    const localhost = scene.address.replace('127.0.0.1', 'localhost');
    expect(await asked(scene, { address: localhost })).toBe('answered');
    expect(await page(scene, '/readyz')).toBe(200);
  });

  test('is told from one without, and one of another CA, in words that say what to do', async () => {
    expect(await asked(scene, { ca: scene.otherCa })).toMatch(/is of another CA than --ca/);
    expect(await outcomeOf(connect(scene.address))).toMatch(/a master with TLS needs --ca FILE/);
    const { address } = await runMasterFor();
    expect(await asked(scene, { address })).toMatch(/does not speak TLS: leave out --ca/);
  });

  test('speaks nothing older than TLS 1.3', async () => {
    const { port, host } = scene.master.grpc;
    const ca = scene.ca.cert;
    const old = connectTls({ port, host, ca, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
    const [error] = await once(old, 'error');
    expect(error.message).toMatch(/protocol version/);
    await said(scene, 'it speaks no TLS 1.3');
  });

  test('ends with those that are in the middle of a handshake', async () => {
    const other = await secured();
    const peers = [other.master.grpc, other.master.http].map(({ port, host }) =>
      connectTcp({ port, host }),
    );
    const ends = peers.map((peer) => {
      peer.on('error', () => {}).resume();
      return once(peer, 'close');
    });
    await Promise.all(peers.map((peer) => once(peer, 'connect')));
    expect(await asked(other)).toBe('answered');
    await other.master.stop();
    await Promise.all(ends);
  });
});

test('files that change are taken, and bad ones are not, while a stream goes on', async () => {
  const own = await secured();
  const { ca, folder, lines } = own;
  const stream = connectHttp2(`https://${own.address}`, { ca: ca.cert });
  atEnd(() => stream.destroy());
  await once(stream, 'connect');
  const pinged = () => new Promise((resolve) => stream.ping((error) => resolve(error)));

  writeFileSync(join(folder, 'server.crt'), 'nothing of the kind');
  await said(own, 'has no certificate in PEM');
  expect(await asked(own)).toBe('answered');

  write(folder, 'server', await makeServer(ca, ['127.0.0.1'], gone));
  await said(own, 'has expired');
  expect(await asked(own)).toBe('answered');

  write(folder, 'server', await makeServer(ca, ['elsewhere.example'], now));
  await said(own, 'TLS files reloaded');
  expect(await asked(own)).toMatch(/has a certificate for other names/);
  expect(await pinged()).toBeNull();
  expect(lines.filter((line) => line.includes('TLS files not reloaded'))).toHaveLength(2);
});

test('a master whose certificate has expired is told by its clients', async () => {
  const folder = temporaryFolder();
  const ca = await makeCa('ours', now);
  write(folder, 'server', await makeServer(ca, ['127.0.0.1'], gone));
  const { address } = await runMasterFor({
    PANDAFUZZ_TLS_CERT: join(folder, 'server.crt'),
    PANDAFUZZ_TLS_KEY: join(folder, 'server.key'),
  });
  expect(await asked({ ...scene, ca }, { address })).toMatch(/has expired: make a new one/);
});

test('a master with tls.client_ca takes clients of that CA alone', async () => {
  const own = await secured({ PANDAFUZZ_TLS_CLIENT_CA: 'FOLDER/ca.crt' });
  const known = await makeClient(own.ca, 'north', now);
  const unknown = await makeClient(own.otherCa, 'north', now);
  expect(await asked(own, { own: known })).toBe('answered');
  expect(await asked(own)).toMatch(/--cert and --key/);
  expect(await asked(own, { own: unknown })).toMatch(/--cert and --key/);
  await said(own, 'it has no certificate');
  await said(own, 'its certificate is not taken');
  expect(await page(own, '/metrics', known)).toBe(200);
  expect(await page(own, '/metrics', unknown)).toBe(403);
  expect(await page(own, '/metrics')).toBe(403);
  expect(await page(own, '/healthz')).toBe(200);

  writeFileSync(join(own.folder, 'ca.crt'), own.otherCa.cert);
  await said(own, 'TLS files reloaded');
  expect(await asked(own, { own: unknown })).toBe('answered');
  expect(await asked(own, { own: known })).toMatch(/--cert and --key/);
});

describe('a certificate', () => {
  test('stands for the token that has its name, while that is valid', async () => {
    const modes = { PANDAFUZZ_TLS_CLIENT_CA: 'FOLDER/ca.crt', PANDAFUZZ_AUTH_MODE: 'on' };
    const own = await secured(modes);
    const adminToken = readFileSync(join(own.data, 'admin.token'), 'utf8').trim();
    const as = async (name: string, token?: string) => {
      const { cert, key } = await makeClient(own.ca, name, now);
      const pair = { cert: Buffer.from(cert), key: Buffer.from(key) };
      const tls = () => ({ ca: Buffer.from(own.ca.cert), own: pair });
      const connection = connect(own.address, { tls, ...(token && { token: () => token }) });
      atEnd(() => connection.close());
      return connection;
    };
    const admin = await as('somebody', adminToken);
    const { identity } = admin;
    const wish = { validSeconds: 0, pool: '', botId: '', projects: [], certificate: 'DNS:north' };
    const viewer = { ...wish, name: 'north', role: Role.VIEWER };
    const made = await unary(identity, identity.createToken, viewer);
    expect(made.secret).toBe('');
    const again = unary(identity, identity.createToken, viewer);
    await expect(again).rejects.toMatchObject({ code: Code.ALREADY_EXISTS });

    const north = await as('north');
    const caller = async () => unary(north.identity, north.identity.getCaller, {});
    expect((await caller()).token).toMatchObject({ name: 'north', certificate: 'DNS:north' });
    const drain = unary(north.bots, north.bots.drainBot, { botId: given(made.token).id });
    await expect(drain).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    // A token that is given goes before the certificate, and other names are nobody.
    const both = await as('north', adminToken);
    const { token } = await unary(both.identity, both.identity.getCaller, {});
    expect(token).toMatchObject({ role: Role.ADMIN });
    const south = await as('south');
    const refused = unary(south.identity, south.identity.getCaller, {});
    await expect(refused).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });

    await unary(identity, identity.revokeToken, { tokenId: given(made.token).id });
    await expect(caller()).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
    await unary(identity, identity.createToken, { ...viewer, role: Role.OPERATOR });
    expect((await caller()).token).toMatchObject({ role: Role.OPERATOR });

    // The same over HTTP: pages, and calls by the Connect protocol.
    const [ours, theirs] = await Promise.all([
      makeClient(own.ca, 'north', now),
      makeClient(own.ca, 'south', now),
    ]);
    expect(await page(own, '/metrics', ours)).toBe(200);
    expect(await page(own, '/metrics', theirs)).toBe(401);
    const getCaller = '/pandafuzz.v1.IdentityService/GetCaller?connect=v1&encoding=json&message={}';
    expect(await page(own, getCaller, ours)).toBe(200);
    expect(await page(own, getCaller, theirs)).toBe(401);
    // A browser shows it to every page that asks: by a link, or from another site.
    for (const site of ['none', 'cross-site', 'same-origin']) {
      const headers = { 'sec-fetch-site': site };
      expect(await page(own, getCaller, ours, headers)).toBe(403);
    }
    const ofThePage = { 'sec-fetch-site': 'same-origin', 'connect-protocol-version': '1' };
    expect(await page(own, getCaller, ours, ofThePage)).toBe(200);
  });
});

test('a certificate on the list of revoked ones is refused once the list is there', async () => {
  const own = await secured({
    PANDAFUZZ_TLS_CLIENT_CA: 'FOLDER/ca.crt',
    PANDAFUZZ_TLS_CLIENT_CRL: 'FOLDER/ca.crl',
  });
  const [north, south] = await Promise.all([
    makeClient(own.ca, 'north', now),
    makeClient(own.ca, 'south', now),
  ]);
  expect(await asked(own, { own: north })).toBe('answered');
  const list = join(own.folder, 'ca.crl');
  writeFileSync(list, await revoke(own.ca, north.cert, readFileSync(list, 'utf8')));
  await said(own, 'TLS files reloaded');
  expect(await asked(own, { own: north })).toMatch(/--cert and --key/);
  await said(own, 'CERT_REVOKED');
  expect(await page(own, '/metrics', north)).toBe(403);
  expect(await page(own, '/metrics', south)).toBe(200);
  expect(await asked(own, { own: south })).toBe('answered');
});

test.each([
  ['tls.cert', 'server.crt', 'none.crt', /tls\.cert .* cannot be read \(ENOENT\)/],
  ['tls.key', 'server.key', 'other.key', /tls\.key .* is not the key of/],
  ['tls.key', 'server.key', 'server.crt', /tls\.key .* has no private key in PEM/],
])('a master whose %s is another file does not start', async (_, wanted, other, complaint) => {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const ca = await makeCa('ours', now);
  write(folder, 'server', await makeServer(ca, ['localhost'], now));
  write(folder, 'other', ca);
  const file = (name: string) => join(folder, name === wanted ? other : name);
  const started = runMasterFor({
    PANDAFUZZ_TLS_CERT: file('server.crt'),
    PANDAFUZZ_TLS_KEY: file('server.key'),
  });
  await expect(started).rejects.toThrow(complaint);
  expect(readFileSync(join(folder, 'server.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
});
