import { BlockList, isIP, isIPv4 } from 'node:net';
import { isLoopback } from './loopback.js';

/**
 * Which proxy of the environment a connection takes. This machine needs none, whatever the
 * variables say: loopback, and the addresses that mean any of the machine's own.
 */
export interface Proxy {
  /** The variable that names it. */
  readonly variable: string;
  /** Without its user and password. */
  readonly address: string;
}

/**
 * Whether `host` is reached without a proxy: it is this machine, or no_proxy lists it, by
 * its name, the end of its name, a network such as 10.0.0.0/8, or "*" for all.
 *
 * @param host a name, or an address, an IPv6 one with or without brackets
 */
export function isDirect(host: string, environment: NodeJS.ProcessEnv): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isThisMachine(name)) return true;
  const { no_grpc_proxy: ofGrpc, no_proxy: usual, NO_PROXY: loud } = environment;
  const entries = (ofGrpc || usual || loud || '').split(',').map((entry) => entry.trim());
  return entries.some((entry) => entry !== '' && matches(name, entry.toLowerCase()));
}

const anyOfOurs = new BlockList();
anyOfOurs.addAddress('0.0.0.0');
anyOfOurs.addAddress('::', 'ipv6');

function isThisMachine(name: string): boolean {
  const family = isIP(name);
  if (family === 0) return /^(.+\.)?localhost\.?$/.test(name);
  return isLoopback(name) || anyOfOurs.check(name, family === 4 ? 'ipv4' : 'ipv6');
}

function matches(name: string, entry: string): boolean {
  const [, network = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(network) === 0) return name.endsWith(entry.replace(/^\*/, ''));
  const list = new BlockList();
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  if (Number(bits) > (family === 'ipv4' ? 32 : 128)) return false;
  list.addSubnet(network, Number(bits), family);
  return isIP(name) !== 0 && list.check(name, isIPv4(name) ? 'ipv4' : 'ipv6');
}

/**
 * The proxy that grpc-js takes to `host`. @returns undefined for none
 */
export const grpcProxy = (host: string, environment: NodeJS.ProcessEnv): Proxy | undefined =>
  proxyOf(host, ['grpc_proxy', 'https_proxy', 'http_proxy'], environment);

/** The proxy that Node takes to a URL. @returns undefined for none */
export const webProxy = (
  { hostname, protocol }: URL,
  environment: NodeJS.ProcessEnv,
): Proxy | undefined => {
  const variable = protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  return proxyOf(hostname, [variable, variable.toUpperCase()], environment);
};

/** What to do, to follow the description of a failure. */
export const throughProxy = ({ variable, address }: Proxy, host: string): string =>
  `through the proxy of ${variable} (${address}): unset ${variable}, or add ${host} to no_proxy, if none is needed`;

function proxyOf(
  host: string,
  variables: readonly string[],
  environment: NodeJS.ProcessEnv,
): Proxy | undefined {
  const variable = variables.find((name) => environment[name]);
  if (variable === undefined || isDirect(host, environment)) return undefined;
  const url = URL.parse(environment[variable] as string);
  return { variable, address: url ? `${url.protocol}//${url.host}` : 'it is no URL' };
}
