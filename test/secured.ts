import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Master } from '../src/app.js';
import { unary } from '../src/client/call.js';
import { type Connection, connect } from '../src/client/connect.js';
import { type CreateTokenRequest, Role } from '../src/gen/pandafuzz/v1/identity_service.js';
import { atEnd, runMasterFor, temporaryFolder } from './harness.js';
import { given } from './steps.js';

/** A master that needs tokens. */
export interface SecuredMaster {
  readonly master: Master;
  readonly address: string;
  readonly directory: string;
  /** The first admin's. */
  readonly adminToken: string;
  readonly admin: Connection;
  /** A connection whose calls have this token. */
  as(token: string): Connection;
  /** Makes a token. */
  token(role: Role, wish?: Partial<CreateTokenRequest>): Promise<MadeToken>;
}

export interface MadeToken {
  readonly secret: string;
  readonly id: string;
}

export async function runSecuredMaster(
  settings: Record<string, string> = {},
  directory = temporaryFolder(),
): Promise<SecuredMaster> {
  const all = { PANDAFUZZ_AUTH_MODE: 'on', ...settings };
  const { master, address } = await runMasterFor(all, directory);
  const adminToken = readFileSync(join(directory, 'admin.token'), 'utf8').trim();
  const as = (token: string) => {
    const connection = connect(address, { token: () => token });
    atEnd(() => connection.close());
    return connection;
  };
  const admin = as(adminToken);
  const token: SecuredMaster['token'] = async (role, wish = {}) => {
    const name = Role[role].toLowerCase();
    const request = {
      name,
      role,
      validSeconds: 0,
      pool: '',
      botId: '',
      certificate: '',
      projects: [],
      ...wish,
    };
    const made = await unary(admin.identity, admin.identity.createToken, request);
    return { secret: made.secret, id: given(made.token).id };
  };
  return { master, address, directory, adminToken, admin, as, token };
}
