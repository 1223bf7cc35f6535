import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { type ChannelCredentials, type ClientOptions, credentials } from '@grpc/grpc-js';
import { messageOf, UserError } from '../core/errors.js';

/** What a client speaks TLS with, each in PEM. */
export interface ClientTls {
  /** CAs of the master's certificate; undefined: the well-known ones. */
  readonly ca?: Buffer | undefined;
  /** The client's own certificate and its key, where the master asks for one. */
  readonly own?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
}

/** EX_DATAERR of sysexits.h. */
const dataError = 65;

/** @throws UserError for files that are not what they should be */
export function secureCredentials(host: string, { ca, own }: ClientTls): ChannelCredentials {
  try {
    const context = createSecureContext({ minVersion: 'TLSv1.3', ...(ca && { ca }), ...own });
    // By the host that was asked for, also where the option below gives TLS another name.
    return credentials.createFromSecureContext(context, {
      checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    });
  } catch (error) {
    throw new UserError(
      `--cert and --key cannot be used: they have to be a certificate in PEM and its own key, without a passphrase (${messageOf(error)})`,
      dataError,
    );
  }
}

/** TLS knows no addresses as names of servers: grpc-js would send them all the same, and Node warn. */
export const namedForTls = (host: string): ClientOptions =>
  isIP(host) === 0 ? {} : { 'grpc.ssl_target_name_override': 'address.invalid' };
