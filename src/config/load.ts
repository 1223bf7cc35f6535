import type { z } from 'zod';
import { UserError } from '../core/errors.js';
import { type BotConfig, botSettings } from './bot-schema.js';
import { readEnvironment } from './environment.js';
import { badConfiguration, readSettingsFile, type Tree } from './file.js';
import { type MasterConfig, masterSettings } from './schema.js';
import { type SettingPath, type Settings, settingPaths } from './settings.js';
import { suggestion } from './suggestion.js';

/** Where settings come from, besides their defaults. */
export interface ConfigSource {
  readonly file?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** The master's settings. @throws UserError */
export const loadMasterConfig = (source: ConfigSource): Readonly<MasterConfig> =>
  loadConfig(masterSettings, source);

/** A bot's settings. @throws UserError */
export const loadBotConfig = (source: ConfigSource): Readonly<BotConfig> =>
  loadConfig(botSettings, source);

/**
 * Settings of a program: defaults, over them the file's, over them those of the
 * environment. Everything wrong is reported at once, by key, with its line or variable.
 *
 * @throws UserError naming each bad key or value and what would be valid
 */
function loadConfig<Config>(settings: Settings<Config>, source: ConfigSource): Readonly<Config> {
  const file = source.file === undefined ? undefined : readSettingsFile(source.file, settings);
  const environment = readEnvironment(settings, source.environment ?? {});
  const tree = environment.values.reduce(withValue, file?.tree ?? {});
  const variables = new Map(
    environment.values.map(({ path, variable }) => [path.join('.'), variable]),
  );
  const placeOf = (path: readonly PropertyKey[]): string => {
    const variable = variables.get(path.slice(0, 2).join('.')) ?? variables.get(String(path[0]));
    if (variable) return ` (${variable})`;
    const line = file?.lineOf(path) ?? 0;
    return line > 0 ? ` (line ${line})` : '';
  };
  const result = settings.schema.safeParse(tree);
  const issues = result.success ? [] : result.error.issues;
  const described = issues.flatMap((one) => describe(one, settings, placeOf));
  const problems = [...environment.problems, ...described];
  if (problems.length > 0 || !result.data) {
    const where = source.file ?? 'the environment';
    throw new UserError(`configuration (${where}): ${problems.join('; ')}`, badConfiguration);
  }
  return deepFreeze(result.data);
}

/** The tree with this value in it. A section that is no map stays, for the schema to refuse. */
function withValue(tree: Tree, { path, value }: { path: SettingPath; value: unknown }): Tree {
  const [key = '', ...inner] = path;
  if (inner.length === 0) return { ...tree, [key]: value };
  const branch = tree[key] ?? {};
  if (typeof branch !== 'object') return tree;
  return { ...tree, [key]: withValue(branch as Tree, { path: inner, value }) };
}

function describe(
  issue: z.core.$ZodIssue,
  settings: Settings,
  placeOf: (path: readonly PropertyKey[]) => string,
): string[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') {
    return [`${path || 'the file'}${placeOf(issue.path)}: ${issue.message}`];
  }
  const siblings = path
    ? settingPaths(settings).flatMap(([section, key]) => (section === path && key ? [key] : []))
    : Object.keys(settings.keys.shape);
  return issue.keys.map((key) => {
    const name = path ? `${path}.${key}` : key;
    const instead = suggestion(key, siblings, settings.listedIn);
    return `${name}${placeOf([...issue.path, key])}: no such key${instead}`;
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
