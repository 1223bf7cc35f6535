/** The namespace of targets that nobody gave one. */
export const defaultProject = 'default';

/** How something of a project is called for people: the default project goes without saying. */
export const inProject = (project: string | undefined, name: string): string =>
  !project || project === defaultProject ? name : `${project}/${name}`;
