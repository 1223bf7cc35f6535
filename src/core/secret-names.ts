/** How the environment of a job names a secret of its project. */
const reference = /^secret:([A-Za-z0-9._-]{1,64})$/;

/** The name of the secret that a value of an environment stands for; undefined: it is a value. */
export const secretNamed = (value: string): string | undefined => reference.exec(value)?.[1];

/** Names of all secrets in an environment, each once. */
export const secretsIn = (environment: Readonly<Record<string, string>>): string[] => [
  ...new Set(Object.values(environment).flatMap((value) => secretNamed(value) ?? [])),
];
