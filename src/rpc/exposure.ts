import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Address, formatAddress } from '../config/quantities.js';
import type { MasterConfig } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import { isLoopback } from '../core/loopback.js';

/** EX_CONFIG of sysexits.h. */
const badConfiguration = 78;

/** Who reaches the master, and what that asks of its callers. */
export interface Exposure {
  /** Each call needs a token. */
  readonly needsTokens: boolean;
  /** What is wrong with it, one sentence each, for the log and for `stats`. */
  readonly warnings: readonly string[];
}

type Settings = Pick<MasterConfig, 'auth' | 'grpc' | 'http' | 'tls'>;

/**
 * Looks at where the master is to listen. Other machines may reach it only by TLS and with
 * tokens, or where one setting says that they may do without.
 *
 * @throws UserError
 */
export async function exposureOf({ auth, grpc, http, tls }: Settings): Promise<Exposure> {
  const addresses = [
    { setting: 'grpc.address', address: grpc.address },
    { setting: 'http.address', address: http.address },
  ];
  const found = await Promise.all(
    addresses.map(async (one) => ({ ...one, isOpen: !(await isThisMachine(one.address)) })),
  );
  const open = found.filter(({ isOpen }) => isOpen);
  const needsTokens = auth.mode === 'on' || (auth.mode === 'auto' && open.length > 0);
  const lacks = [tls.cert === '' && 'without TLS', !needsTokens && 'without tokens'].filter(
    Boolean,
  );
  const problems = (lacks.length > 0 ? open : []).map(
    ({ setting, address }) =>
      `${setting} ${formatAddress(address)} can be reached from other machines, ${lacks.join(' and ')}`,
  );
  if (problems.length > 0 && !auth.allow_insecure_network) {
    throw new UserError(
      `${problems.join('; ')}: ${remedy(tls.cert !== '', needsTokens)}, or listen on 127.0.0.1, which others reach by an SSH tunnel or a VPN, or set auth.allow_insecure_network: true if every machine on that network is trusted`,
      badConfiguration,
    );
  }
  return { needsTokens, warnings: problems.map((one) => `${one} (auth.allow_insecure_network)`) };
}

function remedy(hasTls: boolean, needsTokens: boolean): string {
  const tokens = needsTokens ? '' : 'set auth.mode: on';
  const files = hasTls
    ? ''
    : 'set tls.cert and tls.key, for which "pandafuzz cert init" makes files';
  return [tokens, files].filter(Boolean).join(', and ');
}

/** Whether no other machine reaches it. A name counts by its addresses; one without any cannot be listened on, which is said later. */
export async function isThisMachine({ host }: Address): Promise<boolean> {
  const known = isIP(host) ? [{ address: host }] : await addressesOf(host);
  return known.every(({ address }) => isLoopback(address));
}

const addressesOf = (host: string) => lookup(host, { all: true }).catch(() => []);
