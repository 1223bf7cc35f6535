/** How something of a project is called for people, as core/project.ts: the default one goes without saying. */
export const inProject = (project: string | undefined, name: string): string =>
  !project || project === 'default' ? name : `${project}/${name}`;
