/** Names that a project can have. */
export const projectName = /^[A-Za-z0-9._-]{1,64}$/;
export const projectNameRule = "must be 1 to 64 letters, digits, '.', '_' or '-'";

/** The namespace of targets that nobody gave one. */
export const defaultProject = 'default';

/** How something of a project is called for people: the default project goes without saying. */
export const inProject = (project: string | undefined, name: string): string =>
  !project || project === defaultProject ? name : `${project}/${name}`;
