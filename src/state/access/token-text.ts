import { hash, randomBytes } from 'node:crypto';
import { type Role, roles } from '../../core/principal.js';

/**
 * Tokens as texts: "pf_", the role, "_" and 256 random bits in hex. The beginning is for
 * people, and for programs that look for secrets in the wrong places.
 */
const pattern = new RegExp(`^pf_(${roles.join('|')})_[0-9a-f]{64}$`);
const randomness = 32;

export const newTokenText = (role: Role): string =>
  `pf_${role}_${randomBytes(randomness).toString('hex')}`;

export const isTokenText = (text: string): boolean => pattern.test(text);

/**
 * What finds a token. Fast on purpose: a slow hash protects what people choose, and nobody
 * guesses 256 bits.
 */
export const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');
