import type { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readEnvironment, type SettingPath, settingPaths, variableOf } from './environment.js';
import { badConfiguration, readSettingsFile, type Tree } from './file.js';
import { type MasterConfig, masterSchema, settings } from './schema.js';
import { suggestion } from './suggestion.js';

/**
 * The master's settings: defaults, over them the file's, over them those of the
 * environment. Everything wrong is reported at once, by key, with its line or variable.
 *
 * @throws UserError naming each bad key or value and what would be valid
 */
export function loadMasterConfig(source: {
  file?: string;
  environment?: NodeJS.ProcessEnv;
}): Readonly<MasterConfig> {
  const file = source.file === undefined ? undefined : readSettingsFile(source.file);
  const environment = readEnvironment(source.environment ?? {});
  const tree = environment.values.reduce(withValue, file?.tree ?? {});
  const variables = new Map(environment.values.map(({ path }) => [path.join('.'), path]));
  const placeOf = (path: readonly PropertyKey[]): string => {
    const variable = variables.get(path.slice(0, 2).join('.'));
    if (variable) return ` (${variableOf(variable)})`;
    const line = file?.lineOf(path) ?? 0;
    return line > 0 ? ` (line ${line})` : '';
  };
  const result = masterSchema.safeParse(tree);
  const issues = result.success ? [] : result.error.issues;
  const problems = [...environment.problems, ...issues.flatMap((one) => describe(one, placeOf))];
  if (problems.length > 0 || !result.data) {
    const where = source.file ?? 'the environment';
    throw new UserError(`configuration (${where}): ${problems.join('; ')}`, badConfiguration);
  }
  return deepFreeze(result.data);
}

/** The tree with this value in it. A section that is no map stays, for the schema to refuse. */
function withValue(tree: Tree, { path, value }: { path: SettingPath; value: unknown }): Tree {
  const [section, key] = path;
  const branch = tree[section] ?? {};
  if (typeof branch !== 'object') return tree;
  return { ...tree, [section]: { ...branch, [key]: value } };
}

function describe(
  issue: z.core.$ZodIssue,
  placeOf: (path: readonly PropertyKey[]) => string,
): string[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') {
    return [`${path || 'the file'}${placeOf(issue.path)}: ${issue.message}`];
  }
  const siblings = path
    ? settingPaths().flatMap(([section, key]) => (section === path ? [key] : []))
    : Object.keys(settings.shape);
  return issue.keys.map((key) => {
    const name = path ? `${path}.${key}` : key;
    return `${name}${placeOf([...issue.path, key])}: no such key${suggestion(key, siblings)}`;
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
