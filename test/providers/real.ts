import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { atEnd } from '../endings.js';

/** Groups of the people at the provider; anybody else has none. */
const people: Readonly<Record<string, readonly string[]>> = {
  alice: ['staff', 'fuzz-web'],
  root: ['fuzz-web', 'fuzz-admins'],
  mallory: ['staff'],
};

export const clientSecret = 'the secret of the master, as it is known at its provider';

/** Settings of a master whose people are at this provider. */
export const settingsFor = (issuer: string): Record<string, string> => ({
  PANDAFUZZ_OIDC_ISSUER: issuer,
  PANDAFUZZ_OIDC_CLIENT_ID: 'pandafuzz',
  PANDAFUZZ_OIDC_CLIENT_SECRET: clientSecret,
  PANDAFUZZ_OIDC_SCOPE: 'openid email groups',
  PANDAFUZZ_OIDC_GROUPS:
    '[{group: fuzz-web, role: operator, projects: [web, shop]}, {group: fuzz-admins, role: admin}]',
});

export interface RealProvider {
  readonly issuer: string;
  /** Stops it; the port stays its own. */
  leave(): Promise<void>;
}

/** oidc-provider, on a port of this machine. Any port of this machine may be the page's, and the command's. */
export async function startProvider(): Promise<RealProvider> {
  let answer: RequestListener = (_, response) => response.destroy();
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  quieten();
  answer = new Provider(issuer, settings).callback();
  const leave = () => closed(server);
  atEnd(leave);
  return { issuer, leave };
}

const settings = {
  clients: [
    {
      client_id: 'pandafuzz',
      client_secret: clientSecret,
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/signed-in'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  scopes: ['openid', 'email', 'groups'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
  cookies: { keys: ['of a test'] },
  findAccount: (_: unknown, accountId: string) => ({
    accountId,
    claims: () => ({
      ...{ sub: accountId, email: `${accountId}@example.org`, email_verified: true },
      groups: people[accountId] ?? [],
    }),
  }),
};

/** It warns on the console of what a test does not need. */
function quieten(): void {
  for (const way of ['info', 'warn'] as const) {
    const say = console[way];
    console[way] = (...words: unknown[]) => {
      if (!String(words[0]).includes('oidc-provider')) say(...words);
    };
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
