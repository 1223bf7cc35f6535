import { readFileSync } from 'node:fs';
import leven from 'leven';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import { type MasterConfig, masterSchema } from './schema.js';

type Tree = { [key: string]: unknown };

/** EX_CONFIG of sysexits.h. */
const badConfiguration = 78;

/** Used by other parts of PandaFuzz, and so not a misspelled setting. */
const otherVariables = new Set(['PANDAFUZZ_MASTER']);

/**
 * The master's settings: defaults, over them the file's, over them those of the
 * environment (`PANDAFUZZ_` and the key in capitals with `_` for `.`, read as
 * YAML). Everything wrong is reported at once, by path.
 *
 * @throws UserError naming each bad key or value and what would be valid
 */
export function loadMasterConfig(source: {
  file?: string;
  environment?: NodeJS.ProcessEnv;
}): Readonly<MasterConfig> {
  const tree = source.file === undefined ? {} : readYaml(source.file);
  const strangers = overlay(tree, source.environment ?? {});
  const result = masterSchema.safeParse(tree);
  const problems = [...strangers, ...(result.success ? [] : result.error.issues.flatMap(describe))];
  if (problems.length > 0 || !result.data) {
    const where = source.file ?? 'the environment';
    throw new UserError(`configuration (${where}): ${problems.join('; ')}`, badConfiguration);
  }
  return deepFreeze(result.data);
}

function readYaml(file: string): Tree {
  try {
    const tree = parseYaml(readFileSync(file, 'utf8')) ?? {};
    if (typeof tree === 'object' && !Array.isArray(tree)) return tree as Tree;
  } catch (error) {
    const why = error instanceof YAMLParseError ? error.message.split('\n')[0] : messageOf(error);
    throw new UserError(`configuration (${file}): cannot be read: ${why}`, badConfiguration);
  }
  throw new UserError(`configuration (${file}): must be keys and values`, badConfiguration);
}

/** Lays the environment over the tree; returns a complaint for each name that is no setting. */
function overlay(tree: Tree, environment: NodeJS.ProcessEnv): string[] {
  const settings = new Map(settingPaths().map((path) => [variableOf(path), path]));
  const strangers: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('PANDAFUZZ_') || value === undefined || otherVariables.has(name)) continue;
    const path = settings.get(name);
    if (!path) {
      strangers.push(`${name}: no such setting${suggestion(name, [...settings.keys()])}`);
      continue;
    }
    try {
      assign(tree, path, parseYaml(value));
    } catch {
      // The parser's message quotes the value, which may be a secret.
      strangers.push(`${name}: cannot be read as YAML`);
    }
  }
  return strangers;
}

/** Every setting's path, e.g. ["grpc", "address"]. */
export function settingPaths(): string[][] {
  return Object.entries(masterSchema.shape).flatMap(([section, schema]) =>
    Object.keys(schema.unwrap().shape).map((key) => [section, key]),
  );
}

const variableOf = (path: string[]) => `PANDAFUZZ_${path.join('_').toUpperCase()}`;

function assign(tree: Tree, [section, key]: string[], value: unknown): void {
  const branch = tree[section as string];
  tree[section as string] = {
    ...(typeof branch === 'object' ? branch : {}),
    [key as string]: value,
  };
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [`${path || 'the file'}: ${issue.message}`];
  const known = settingPaths();
  const siblings = path
    ? known.filter(([section]) => section === path).map(([, key]) => key as string)
    : Object.keys(masterSchema.shape);
  return issue.keys.map(
    (key) => `${path ? `${path}.` : ''}${key}: no such key${suggestion(key, siblings)}`,
  );
}

function suggestion(word: string, known: string[]): string {
  if (known.length === 0) return '';
  const near = known
    .map((candidate) => ({ candidate, distance: leven(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= Math.max(2, word.length / 4))
    return `; did you mean ${near.candidate}?`;
  return known.length <= 12 ? `; valid are ${known.join(', ')}` : '; master.yaml lists them all';
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
