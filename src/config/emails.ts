import { z } from 'zod';
import { isLoopback } from '../core/loopback.js';
import {
  common,
  givenValue,
  mostDestinations,
  type Problems,
  placesGiven,
  placesOf,
  projectsOf,
  text,
  type Wanted,
} from './destinations.js';

/** Settings of mail: destinations that an SMTP server is given messages for. */

const addressRule = 'must be an address such as "fuzzing@example.org"';
/** Nothing that ends a header, a name in brackets, or one of several addresses. */
const address = z
  .string({ error: addressRule })
  .max(254, addressRule)
  .regex(/^[^\s@<>()[\]\\,;:"\p{C}]+@[^\s@<>()\\,;:"\p{C}]+$/u, addressRule);

const serverRule =
  'must be a server such as "smtp://mail.example.org:587" (STARTTLS) or "smtps://mail.example.org"';

const email = z
  .strictObject({
    ...common,
    to: z.union([address.transform((one) => [one]), z.array(address).min(1).max(50)], {
      error: 'must be an address, or a list of up to 50',
    }),
    from: address,
    server: z.url({ protocol: /^smtps?$/, error: serverRule }),
    user: text('a name').max(256, 'must be at most 256 characters').optional(),
    password: text('a text (in quotes)').optional(),
    ...placesOf('password'),
    /** Of servers in a trusted network without certificates. */
    tls: z
      .enum(['required', 'offered', 'off'], { error: 'must be one of: required, offered, off' })
      .optional(),
  })
  .transform((given, ctx) => {
    const server = serverOf(given.server, ctx);
    const login = loginOf(given, ctx);
    if (server === undefined || login === undefined) return z.NEVER;
    const { to, from, events, name = server.host } = given;
    // A password goes over the network as it is where there is no TLS.
    const usual = login.user === '' || isHere(server.host) ? 'offered' : 'required';
    const tls = given.tls ?? usual;
    if (login.user !== '' && tls !== 'required' && !isHere(server.host)) {
      const message = 'must be required where a password goes to another machine';
      ctx.addIssue({ code: 'custom', path: ['tls'], message });
      return z.NEVER;
    }
    const wanted = { name, events, projects: projectsOf(given) };
    return { ...wanted, kind: 'email' as const, to, from, server: { ...server, tls }, login };
  });

const isHere = (host: string): boolean => host === 'localhost' || isLoopback(host);

/** A user and a password have keys of their own, which may be files. */
function serverOf(
  server: string,
  ctx: Problems,
): { host: string; port: number; isSecure: boolean } | undefined {
  const { protocol, hostname, port, username, password, pathname, search } = new URL(server);
  const isSecure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const problem = (message: string) => {
    ctx.addIssue({ code: 'custom', path: ['server'], message });
    return undefined;
  };
  if (username !== '' || password !== '')
    return problem('has no user in it: set user and password');
  if (host === '' || !['', '/'].includes(pathname) || search !== '') return problem(serverRule);
  return { host, port: Number(port) || (isSecure ? 465 : 587), isSecure };
}

/** Of a server that wants none: an empty user. */
function loginOf(
  given: Readonly<Record<string, unknown>>,
  ctx: Problems,
): { user: string; password: string } | undefined {
  const { user } = given;
  const places = placesGiven('password', given);
  if (user === undefined && places === 0) return { user: '', password: '' };
  if (typeof user !== 'string' || places !== 1) {
    const message = 'must have a user and one of password, password_file and password_env, or none';
    ctx.addIssue({ code: 'custom', message });
    return undefined;
  }
  const password = givenValue('password', given, ctx);
  return password === undefined ? undefined : { user, password };
}

export const emails = z
  .array(email, { error: 'must be a list of mail destinations' })
  .max(mostDestinations, `must be at most ${mostDestinations}`)
  .default([]);

/** Its password is that of the file or the variable, where there is one. */
export type EmailConfig = Wanted & {
  readonly kind: 'email';
  readonly to: readonly string[];
  readonly from: string;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly isSecure: boolean;
    readonly tls: 'required' | 'offered' | 'off';
  };
  readonly login: { readonly user: string; readonly password: string };
};
