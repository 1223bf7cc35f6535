import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { codeOf } from '../core/errors.js';
import { type EventKind, eventKinds } from '../core/event-kinds.js';
import { projectName } from '../core/project.js';

/** What all destinations of notifications have. No problem names a secret, nor a URL, which may hold one too. */

/** Each has a loop of its own, and rows of its own in the metrics. */
export const mostDestinations = 100;

const nameRule = 'must be 1 to 64 letters, digits, dots, dashes or underscores';
const projectRule = 'must be the name of a project';
const eventsRule = `must be some of: ${eventKinds.join(', ')}`;

export const text = (what: string) =>
  z.string({ error: `must be ${what}` }).min(1, `must be ${what}`);

const project = z.string({ error: projectRule }).regex(projectName, projectRule);

/** Keys of every destination. */
export const common = {
  name: z
    .string({ error: nameRule })
    .regex(/^[A-Za-z0-9._-]{1,64}$/, nameRule)
    .optional(),
  events: z
    .array(z.enum(eventKinds, { error: eventsRule }), { error: eventsRule })
    .min(1, eventsRule)
    .default([...eventKinds]),
  project: project.optional(),
  projects: z
    .array(project, { error: 'must be a list of projects' })
    .min(1, 'must name a project')
    .max(100, 'must be at most 100')
    .optional(),
};

/** Where a value of a key may be: in the settings, in a file, or in a variable. */
export const placesOf = (key: string) => ({
  [`${key}_file`]: text('a file').optional(),
  [`${key}_env`]: text('the name of an environment variable').optional(),
});

export interface Problems {
  addIssue(issue: { code: 'custom'; path?: string[]; message: string }): void;
}

/**
 * The value of a key that is given as it is, as KEY_file or as KEY_env; without the end of its line.
 *
 * @returns undefined where it is given in none of them, or after a problem
 */
export function givenValue(
  key: string,
  given: Readonly<Record<string, unknown>>,
  ctx: Problems,
): string | undefined {
  const { [key]: plain, [`${key}_file`]: file, [`${key}_env`]: variable } = given;
  if (typeof plain === 'string') return plain;
  if (typeof variable === 'string') {
    const value = process.env[variable];
    if (value) return value;
    ctx.addIssue({
      code: 'custom',
      path: [`${key}_env`],
      message: 'is not set in the environment',
    });
  }
  if (typeof file !== 'string') return undefined;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const message = `cannot be read (${codeOf(error) ?? 'no file'})`;
    ctx.addIssue({ code: 'custom', path: [`${key}_file`], message });
    return undefined;
  }
}

/** How many of the places of a key are given. */
export const placesGiven = (key: string, given: Readonly<Record<string, unknown>>): number =>
  [key, `${key}_file`, `${key}_env`].filter((place) => given[place] !== undefined).length;

/** Both keys together; empty: every project. */
export function projectsOf(given: {
  project?: string | undefined;
  projects?: string[] | undefined;
}): readonly string[] {
  const { project: one, projects = [] } = given;
  return [...new Set([...(one === undefined ? [] : [one]), ...projects])];
}

/** What a destination is told, whatever its kind. */
export interface Wanted {
  readonly name: string;
  readonly events: readonly EventKind[];
  /** Of these projects alone; empty: of all, and of bots. */
  readonly projects: readonly string[];
}
