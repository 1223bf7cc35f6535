import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { print } from '../output.js';
import { type Made, makeCa, makeClient, makeServer, revoke, type Validity } from './make.js';

/** `pandafuzz cert …`: certificates of a CA of one's own, in one folder. */

export interface CertFlags {
  readonly dir: string;
  readonly days: number;
  /** Besides those of this machine. */
  readonly host?: readonly string[];
  readonly json?: boolean;
}

/** What is in the folder, by its name: NAME.crt and NAME.key. */
type Pairs = Readonly<Record<string, Made>>;

const caDays = 3650;
/** EX_NOINPUT and EX_DATAERR of sysexits.h. */
const noInput = 66;
const dataError = 65;

export async function initCertificates(
  flags: CertFlags & { client?: readonly string[] },
): Promise<void> {
  const { client: clients = [] } = flags;
  await refuseExisting(flags.dir, ['ca', 'server', ...clients]);
  const validity = { from: new Date(), days: flags.days };
  const { from } = validity;
  const ca = await makeCa(`PandaFuzz CA ${from.toISOString().slice(0, 10)}`, {
    from,
    days: caDays,
  });
  const pairs: Record<string, Made> = { ca };
  pairs['server'] = await makeServer(ca, hostsOf(flags), validity);
  for (const name of clients) pairs[name] = await makeClient(ca, name, validity);
  await keep(flags, pairs);
}

export const makeServerCertificate = (flags: CertFlags & { name: string }): Promise<void> =>
  makeOne(flags, flags.name, (ca, validity) => makeServer(ca, hostsOf(flags), validity));

export const makeClientCertificate = (flags: CertFlags, name: string): Promise<void> =>
  makeOne(flags, name, (ca, validity) => makeClient(ca, name, validity));

/** Adds a certificate to the folder's list of revoked ones. @throws UserError */
export async function revokeCertificate(flags: CertFlags, name: string): Promise<void> {
  const { dir } = flags;
  const ca = await caIn(dir);
  const cert = await readFile(filesOf(dir, name).cert, 'utf8').catch((error) => {
    throw new UserError(`${dir} has no ${name}.crt (${codeOf(error)})`, noInput);
  });
  const list = join(dir, 'ca.crl');
  const before = await readFile(list, 'utf8').catch(() => undefined);
  if (!new X509Certificate(cert).checkIssued(new X509Certificate(ca.cert))) {
    throw new UserError(`${name}.crt is not of the CA in ${dir}`, dataError);
  }
  // In one step: the master may read it at any time.
  const next = `${list}.next`;
  await writeFile(next, await revoke(ca, cert, before), { mode: 0o600 });
  await rename(next, list);
  print(flags, {
    json: () => ({ revoked: name, list }),
    text: () => `${name}.crt is in ${list}: give that to the master as tls.client_crl`,
  });
}

async function makeOne(
  flags: CertFlags,
  name: string,
  make: (ca: Made, validity: Validity) => Promise<Made>,
): Promise<void> {
  const ca = await caIn(flags.dir);
  await refuseExisting(flags.dir, [name]);
  await keep(flags, { [name]: await make(ca, { from: new Date(), days: flags.days }) });
}

/** The names by which this machine is reached without any set-up, and those that are given. */
const hostsOf = ({ host = [] }: CertFlags): string[] => [
  ...new Set([...host, hostname(), 'localhost', '127.0.0.1', '::1']),
];

const filesOf = (dir: string, name: string) => ({
  cert: join(dir, `${name}.crt`),
  key: join(dir, `${name}.key`),
});

/** @throws UserError */
async function caIn(dir: string): Promise<Made> {
  const { cert, key } = filesOf(dir, 'ca');
  try {
    const [certText, keyText] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
    return { cert: certText, key: keyText };
  } catch (error) {
    throw new UserError(
      `${dir} has no CA of "pandafuzz cert init" (${codeOf(error)}): name its folder with --dir`,
      noInput,
    );
  }
}

/** @throws UserError */
async function refuseExisting(dir: string, names: readonly string[]): Promise<void> {
  for (const path of names.flatMap((name) => Object.values(filesOf(dir, name)))) {
    if (!(await stat(path).catch(() => undefined))) continue;
    throw new UserError(
      `${path} is there already, and nothing is overwritten: take another name or --dir, or move it away`,
      dataError,
    );
  }
}

/** Writes all or none, for their owner alone. @throws UserError */
async function keep(flags: CertFlags, pairs: Pairs): Promise<void> {
  const { dir } = flags;
  const written: string[] = [];
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const [name, { cert, key }] of Object.entries(pairs)) {
      const files = filesOf(dir, name);
      for (const [path, text] of [[files.key, key] as const, [files.cert, cert] as const]) {
        await writeFile(path, text, { mode: 0o600, flag: 'wx' });
        written.push(path);
      }
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    throw new UserError(`no certificate was made: ${messageOf(error)}`);
  }
  print(flags, {
    json: () => ({ certificates: Object.entries(pairs).map((pair) => about(dir, ...pair)) }),
    text: () =>
      `${Object.entries(pairs)
        .map((pair) => line(dir, ...pair))
        .join('\n')}`,
  });
}

function about(dir: string, name: string, { cert }: Made) {
  const { validTo, subjectAltName, fingerprint256 } = new X509Certificate(cert);
  const files = filesOf(dir, name);
  const names = subjectAltName?.split(', ').map((one) => one.replace(/^[^:]*:/, '')) ?? [];
  return { name, ...files, names, validTo: new Date(validTo).toISOString(), fingerprint256 };
}

function line(dir: string, name: string, made: Made): string {
  const { cert, key, names, validTo } = about(dir, name, made);
  const of = names.length > 0 ? ` of ${names.join(', ')}` : '';
  return `${cert} and ${key}${of}, until ${validTo.slice(0, 10)}`;
}
