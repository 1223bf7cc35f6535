import { constants, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { Clock, Timer } from './clock.js';
import { codeOf, messageOf, UserError } from './errors.js';
import type { Logger } from './log.js';

/**
 * The files of a server's TLS, read again when they change.
 *
 * They are read every second, and compared: notifications of a file system miss folders that
 * are swapped, as those of Kubernetes. A good change is taken at once, by connections that
 * begin after it. One that is not good leaves everything as it was, and is told once the
 * files have been the same for two looks: a certificate and its key are never replaced in
 * the same moment.
 */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  /** CAs of clients; '': clients need no certificate. */
  readonly clientCa: string;
  /** Lists of revoked certificates, one for each of those CAs; '': none. */
  readonly clientCrl: string;
}

export type TlsOptions = SecureContextOptions;

type Contents = readonly [
  cert: Buffer,
  key: Buffer,
  clientCa: Buffer | undefined,
  clientCrl: Buffer | undefined,
];

const lookEveryMs = 1000;
const dayMs = 86_400_000;
/** A certificate that expires sooner is told every day. */
const warnBeforeMs = 14 * dayMs;
/** EX_CONFIG of sysexits.h. */
const badConfiguration = 78;

export class TlsFiles {
  readonly #listeners: ((options: TlsOptions) => void)[] = [];
  #timer: Timer | undefined;
  #isStopped = false;
  /** What the last look found wrong, and whether that has been told. */
  #trouble: { what: string; isTold: boolean } | undefined;
  #warnAtMs = 0;

  private constructor(
    readonly paths: TlsPaths,
    private readonly parts: { clock: Clock; log: Logger },
    private contents: Contents,
  ) {}

  /** @throws UserError when a file cannot be read, or is not what it should be */
  static async open(paths: TlsPaths, parts: { clock: Clock; log: Logger }): Promise<TlsFiles> {
    try {
      const contents = await read(paths);
      check(paths, contents);
      const files = new TlsFiles(paths, parts, contents);
      files.#warnOfExpiry();
      files.#lookSoon();
      return files;
    } catch (error) {
      throw new UserError(messageOf(error), badConfiguration);
    }
  }

  /** For connections that begin now. */
  get options(): TlsOptions {
    return optionsOf(this.contents);
  }

  get wantsClients(): boolean {
    return this.paths.clientCa !== '';
  }

  /** Why this client may not speak, if so. */
  problemOf(connection: TLSSocket): string | undefined {
    if (!this.wantsClients) return undefined;
    if (!connection.getPeerX509Certificate())
      return 'it has no certificate: give it --cert and --key';
    if (connection.authorized) return undefined;
    return `its certificate is not taken: ${String(connection.authorizationError)}`;
  }

  /** The listener gets each later change. */
  onChanged(listener: (options: TlsOptions) => void): void {
    this.#listeners.push(listener);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #lookSoon(): void {
    if (this.#isStopped) return;
    const look = () => this.#look().finally(() => this.#lookSoon());
    this.#timer = this.parts.clock.schedule(lookEveryMs, look, { unref: true });
  }

  async #look(): Promise<void> {
    try {
      const found = await read(this.paths);
      if (this.#isStopped) return;
      if (found.every((bytes, i) => isSame(bytes, this.contents[i]))) {
        this.#trouble = undefined;
      } else {
        this.#take(found);
      }
    } catch (error) {
      this.#refuse(messageOf(error));
    }
    this.#warnOfExpiry();
  }

  /** @throws Error when they are not good */
  #take(found: Contents): void {
    const { validTo, fingerprint256 } = check(this.paths, found);
    if (Date.parse(validTo) <= this.parts.clock.now()) {
      throw new Error(`tls.cert ${this.paths.cert} has expired (${validTo})`);
    }
    this.contents = found;
    this.#trouble = undefined;
    this.#warnAtMs = 0;
    for (const listener of this.#listeners) listener(this.options);
    this.parts.log.info({ cert: this.paths.cert, validTo, fingerprint256 }, 'TLS files reloaded');
  }

  #refuse(what: string): void {
    if (this.#isStopped) return;
    if (this.#trouble?.what !== what) {
      this.#trouble = { what, isTold: false };
    } else if (!this.#trouble.isTold) {
      this.#trouble.isTold = true;
      this.parts.log.warn({ why: what }, 'TLS files not reloaded: those from before stay');
    }
  }

  #warnOfExpiry(): void {
    const now = this.parts.clock.now();
    if (now < this.#warnAtMs) return;
    this.#warnAtMs = now + dayMs;
    const { validTo } = new X509Certificate(this.contents[0]);
    const left = Date.parse(validTo) - now;
    const { cert } = this.paths;
    if (left <= 0) this.parts.log.warn({ cert, validTo }, 'TLS certificate has expired');
    else if (left < warnBeforeMs) this.parts.log.warn({ cert, validTo }, 'TLS certificate expires');
  }
}

/**
 * TLS 1.3 and nothing before it: every client of ours has it. No tickets: a session that goes on
 * shows no certificate, and one of before a change of the CA would go on after it.
 */
const optionsOf = ([cert, key, ca, crl]: Contents): TlsOptions => ({
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
  cert,
  key,
  ...(ca && { ca }),
  ...(crl && { crl: crlsIn(crl) }),
});

async function read({ cert, key, clientCa, clientCrl }: TlsPaths): Promise<Contents> {
  const [certBytes, keyBytes] = await Promise.all([
    readSetting('tls.cert', cert),
    readSetting('tls.key', key),
  ]);
  const ca = clientCa === '' ? undefined : await readSetting('tls.client_ca', clientCa);
  const crl = clientCrl === '' ? undefined : await readSetting('tls.client_crl', clientCrl);
  return [certBytes, keyBytes, ca, crl];
}

const readSetting = (setting: string, path: string): Promise<Buffer> =>
  readFile(path).catch((error) => {
    throw new Error(`${setting} ${path} cannot be read (${codeOf(error)})`);
  });

/** @returns the server's own certificate. @throws Error that says what is wrong */
function check(paths: TlsPaths, contents: Contents): X509Certificate {
  const [cert, key, ca, crl] = contents;
  const own = certificatesIn(`tls.cert ${paths.cert}`, cert)[0] as X509Certificate;
  if (ca) certificatesIn(`tls.client_ca ${paths.clientCa}`, ca);
  if (crl) expectCrls(`tls.client_crl ${paths.clientCrl}`, crl);
  if (/^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(key.toString('latin1'))) {
    throw new Error(`tls.key ${paths.key} has a passphrase: give a key without one`);
  }
  try {
    createSecureContext(optionsOf(contents));
  } catch (error) {
    const isOther = /key values mismatch|key type mismatch/i.test(messageOf(error));
    const why = isOther ? `is not the key of ${paths.cert}` : 'has no private key in PEM';
    throw new Error(`tls.key ${paths.key} ${why}`);
  }
  return own;
}

/** Each on its own: the library beneath reads only the first of a text. */
const crlsIn = (pem: Buffer): string[] =>
  pem.toString('latin1').match(/-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g) ?? [];

/** @throws Error when there is none, or one of them is damaged */
function expectCrls(what: string, pem: Buffer): void {
  const crl = crlsIn(pem).map((one) => `${one}\n`);
  if (crl.length === 0) throw new Error(`${what} has no list of revoked certificates in PEM`);
  try {
    createSecureContext({ crl });
  } catch {
    throw new Error(`${what} has a list that is damaged`);
  }
}

/** @throws Error when there is none, or one of them is damaged */
function certificatesIn(what: string, pem: Buffer): X509Certificate[] {
  const blocks = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERT/g);
  if (!blocks) throw new Error(`${what} has no certificate in PEM`);
  try {
    return blocks.map((block) => new X509Certificate(`${block}IFICATE-----\n`));
  } catch {
    throw new Error(`${what} has a certificate that is damaged`);
  }
}

const isSame = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
  one && other ? one.equals(other) : one === other;
