import { z } from 'zod';
import { isLoopback } from '../core/loopback.js';
import { projectName } from '../core/project.js';
import { duration } from './units.js';

/** Settings of the provider by which people sign in (OpenID Connect). */

/** Projects that one token may be bound to. */
const mostProjects = 16;
const text = (what: string) => z.string({ error: `must be ${what}` });
const projectRule = 'must be the name of a project';

const group = z
  .strictObject({
    group: text('the name of a group').min(1, 'must be the name of a group'),
    role: z.enum(['viewer', 'operator', 'admin'], {
      error: 'must be one of: viewer, operator, admin',
    }),
    projects: z
      .array(z.string({ error: projectRule }).regex(projectName, projectRule), {
        error: 'must be a list of projects',
      })
      .max(mostProjects, `must be at most ${mostProjects}`)
      .default([]),
  })
  .refine(({ role, projects }) => role !== 'admin' || projects.length === 0, {
    path: ['projects'],
    error: 'is for viewer and operator: an admin has all projects',
  });

/** What passes between the master and the provider is as good as tokens. */
function isIssuer(given: string): boolean {
  const url = URL.parse(given);
  if (url?.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

const isOrigin = (given: string): boolean => {
  const url = URL.parse(given);
  return url !== null && /^https?:$/.test(url.protocol) && given.replace(/\/$/, '') === url.origin;
};

export const oidc = z
  .strictObject({
    issuer: text('a URL')
      .refine((given) => given === '' || isIssuer(given), {
        error: 'must be a URL that begins with https, or empty (http is for 127.0.0.1 alone)',
      })
      .default(''),
    client_id: text('a client id').default(''),
    client_secret: text('a text (in quotes)').default(''),
    client_secret_file: text('a file').default(''),
    scope: text('a text such as "openid email"')
      .regex(/^openid( [\w:./-]+)*$/, 'must begin with openid, as "openid email groups"')
      .default('openid email'),
    name_claim: text('the name of a claim').min(1, 'must be the name of a claim').default('email'),
    groups_claim: text('the name of a claim')
      .min(1, 'must be the name of a claim')
      .default('groups'),
    groups: z
      .array(group, { error: 'must be a list such as [{group: fuzzing, role: operator}]' })
      .max(1000, 'must be at most 1000')
      .default([]),
    page: text('a URL')
      .refine((given) => given === '' || isOrigin(given), {
        error: 'must be a URL such as "https://fuzz.example.org:50052", without a path, or empty',
      })
      .default(''),
    session: duration({ min: '1m', max: '30d' }).prefault('12h'),
    timeout: duration({ min: '100ms', max: '1m' }).prefault('8s'),
  })
  .refine(({ issuer, client_id: id }) => issuer === '' || id !== '', {
    path: ['client_id'],
    error: 'must be the id that oidc.issuer knows this master by',
  })
  .refine(({ issuer, groups }) => issuer === '' || groups.length > 0, {
    path: ['groups'],
    error: 'must give some group a role, or nobody can sign in',
  })
  .refine(({ client_secret: secret, client_secret_file: file }) => secret === '' || file === '', {
    path: ['client_secret_file'],
    error: 'is in the place of oidc.client_secret: give one of them',
  });

/** Durations in milliseconds. */
export type OidcConfig = z.output<typeof oidc>;
