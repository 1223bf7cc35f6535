import type { Role } from '../../../core/principal.js';

export interface TokenRow {
  id: string;
  name: string;
  role: Role;
  pool: string;
  /** JSON: names of projects; '[]': all. */
  projects: string;
  /** Name in a client's certificate that stands for it; '': its text does. */
  certificate: string;
  bot_id: string | null;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  revoked_by: string | null;
}

/** With what finds it. */
export type KnownToken = TokenRow & { hash: string };

export const tokenColumns =
  'id, name, role, pool, projects, certificate, bot_id, created_by, created_at, expires_at, last_used_at, revoked_at, revoked_by';

/** A token to be made. */
export interface NewToken {
  id: string;
  hash: string;
  name: string;
  role: Role;
  pool: string;
  /** JSON, as in TokenRow. */
  projects: string;
  certificate: string;
  botId: string | null;
  createdBy: string;
  expiresAt: number | null;
  now: number;
}
