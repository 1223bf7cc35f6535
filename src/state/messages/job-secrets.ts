import { secretsIn } from '../../core/secret-names.js';
import type { Assignment } from '../../gen/pandafuzz/v1/lease.js';

type Environment = Readonly<Record<string, string>>;

/** Values of the secrets that a job names, by their names, or why it cannot have them. */
export type Revealed =
  | { readonly values: Readonly<Record<string, string>> }
  | { readonly problem: string };

/** Secrets, as jobs need them (access/secrets.ts). */
export interface JobSecrets {
  /** For a job to be made. @throws PreconditionError for what it names and cannot have */
  expect(project: string, ...environments: readonly Environment[]): void;
  reveal(project: string, environment: Environment): Revealed;
}

/**
 * Puts the values of the secrets that the job names into its assignment.
 *
 * @param isPrivate whether nobody on the way can read what the bot is sent
 * @returns why the bot cannot have them, if so
 */
export function revealIn(
  assignment: Assignment,
  secrets: JobSecrets,
  isPrivate: boolean,
): string | undefined {
  const { project = '', environment = {} } = assignment.spec ?? {};
  if (secretsIn(environment).length === 0) return undefined;
  if (!isPrivate) return notPrivate;
  const revealed = secrets.reveal(project, environment);
  if ('problem' in revealed) return revealed.problem;
  assignment.secrets = { ...revealed.values };
  return undefined;
}

const notPrivate =
  'the job has secrets, which bots get over TLS alone, or on the machine of the master: set tls.cert and --ca of the bot';
