import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf, UserError } from '../core/errors.js';

/** EX_USAGE, EX_NOINPUT and EX_DATAERR of sysexits.h. */
const usage = 64;
const noInput = 66;
const dataError = 65;

/** Files as they were named; undefined or '': not. */
export interface TlsFlags {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The same as in client/tls.ts, which is above this room. */
interface CallerTls {
  readonly ca?: Buffer;
  readonly own?: { readonly cert: Buffer; readonly key: Buffer };
}

/**
 * What a client is to speak TLS with, by its options and then the environment. `read` is called
 * for each new connection, so that files which are replaced are found.
 *
 * @returns undefined: it is to speak without TLS
 * @throws UserError, as `read` does, which is called once
 */
export function givenTls(
  flags: TlsFlags,
  environment: NodeJS.ProcessEnv,
): (() => CallerTls) | undefined {
  const { PANDAFUZZ_CA, PANDAFUZZ_CERT, PANDAFUZZ_KEY } = environment;
  const ca = flags.ca || PANDAFUZZ_CA;
  const cert = flags.cert || PANDAFUZZ_CERT;
  const key = flags.key || PANDAFUZZ_KEY;
  if (Boolean(cert) !== Boolean(key)) {
    throw new UserError(
      '--cert and --key belong together: give both (or PANDAFUZZ_CERT and PANDAFUZZ_KEY)',
      usage,
    );
  }
  if (!ca && cert) {
    throw new UserError('--cert needs --ca FILE, or --ca public for the well-known CAs', usage);
  }
  if (!ca) return undefined;
  const read = () => ({
    ...(ca !== 'public' && { ca: certificates(ca) }),
    ...(cert && key && { own: { cert: bytesOf(cert), key: bytesOf(key) } }),
  });
  read();
  return read;
}

function certificates(path: string): Buffer {
  const bytes = bytesOf(path);
  try {
    new X509Certificate(bytes);
    return bytes;
  } catch {
    throw new UserError(
      `${path} has no certificate in PEM: --ca is the CA of the master`,
      dataError,
    );
  }
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`${path} cannot be read (${codeOf(error)})`, noInput);
  }
}
