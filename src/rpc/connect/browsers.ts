import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../../core/loopback.js';
import { NotOurs } from './refusal.js';

/**
 * Refuses what a browser sends for a page of another site. Such a page cannot read an answer,
 * as no header allows it to; it must not be able to act, either.
 *
 * @throws NotOurs
 */
export function expectOwnSite(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    if (site !== 'same-origin' && site !== 'none') throw otherSite();
    return;
  }
  const { origin, host = '' } = headers;
  if (origin === undefined) return;
  const from = URL.parse(origin);
  // A port that goes without saying is in neither.
  if (!from || from.host !== URL.parse(`${from.protocol}//${host}`)?.host) throw otherSite();
}

/**
 * Refuses what a session may not be used by: anything but a script of the master's own page.
 * Browsers send `sec-fetch-site` to secure addresses alone, and `origin` with every POST; other
 * programs have a token.
 *
 * @throws NotOurs
 */
export function expectOwnPage(headers: IncomingHttpHeaders): void {
  expectOwnSite(headers);
  const { origin, 'sec-fetch-site': site, 'connect-protocol-version': version } = headers;
  if (site === undefined ? origin === undefined : site !== 'same-origin') throw otherSite();
  // A header that no form and no link can set.
  if (version !== '1') throw otherSite();
}

/** Whether a request may be a browser's: programs send neither header. */
export const isOfBrowser = (headers: IncomingHttpHeaders): boolean =>
  headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;

/** How the HTTP server may be called by name. */
export interface OwnNames {
  /** The host of `http.address`. */
  readonly configured: string;
  /** No other machine reaches it. */
  readonly isLocal: boolean;
}

/**
 * Refuses names that a page of another site may have pointed here (DNS rebinding), where no
 * token keeps it out. An address cannot be pointed elsewhere, nor can a name without a dot by
 * anybody outside of the network.
 *
 * @throws NotOurs
 */
export function expectOwnName(host: string | undefined, { configured, isLocal }: OwnNames): void {
  const name = URL.parse(`http://${host ?? ''}`)?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (name === 'localhost' || name === configured.toLowerCase()) return;
  if (isLocal ? isLoopback(name) : isIP(name) !== 0 || /^[^.]+$/.test(name)) return;
  const message =
    'this master takes calls without tokens, and so by its own names only: localhost, 127.0.0.1, [::1], or the host of http.address';
  throw new NotOurs('FOREIGN_HOST', message);
}

const otherSite = () => new NotOurs('OTHER_SITE', 'this call comes from a page of another site');
