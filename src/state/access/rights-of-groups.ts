import type { OidcConfig } from '../../config/oidc.js';

type GroupRule = OidcConfig['groups'][number];

/** What a person may, by their groups. */
export interface Rights {
  readonly role: GroupRule['role'];
  /** Sorted; empty: all. */
  readonly projects: readonly string[];
}

const ranks = { viewer: 0, operator: 1, admin: 2 } as const;

/**
 * The highest role that one of the groups gives, with all projects of the groups that give it.
 *
 * @returns undefined when none of them gives one
 */
export function rightsOf(
  groups: readonly string[],
  rules: OidcConfig['groups'],
): Rights | undefined {
  const own = rules.filter(({ group }) => groups.includes(group));
  const [first, ...others] = own;
  if (!first) return undefined;
  const role = others.reduce(
    (highest, one) => (ranks[one.role] > ranks[highest] ? one.role : highest),
    first.role,
  );
  const given = own.filter((one) => one.role === role).map(({ projects }) => projects);
  const isOfAll = given.some((projects) => projects.length === 0);
  return { role, projects: isOfAll ? [] : [...new Set(given.flat())].sort() };
}

/** A claim with groups: a list of names, or one name. Anything else is no group. */
export function groupsIn(claim: unknown): string[] {
  if (typeof claim === 'string') return [claim];
  if (!Array.isArray(claim)) return [];
  return claim.filter((one) => typeof one === 'string');
}
