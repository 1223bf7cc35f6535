import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../core/errors.js';
import { settings } from './schema.js';
import { suggestion } from './suggestion.js';

/** A setting's section and key, e.g. ["grpc", "address"]. */
export type SettingPath = readonly [section: string, key: string];

/** Variables of other parts of PandaFuzz. */
const otherVariables = new Set(['PANDAFUZZ_MASTER']);

/** Variables that Kubernetes adds for each service whose name begins with "pandafuzz". */
const serviceVariable = /^PANDAFUZZ_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+)$/;
const serviceAddress = /^(tcp|udp|sctp):\/\//;

/** Every setting's path. */
export function settingPaths(): SettingPath[] {
  return Object.entries(settings.shape).flatMap(([section, schema]) =>
    Object.keys(schema.unwrap().shape).map((key): SettingPath => [section, key]),
  );
}

export const variableOf = (path: SettingPath): string =>
  `PANDAFUZZ_${path.join('_').toUpperCase()}`;

/**
 * Settings from the environment: `PANDAFUZZ_` and the key in capitals with `_` for `.`.
 * Values are taken as they are; lists and maps are read as YAML.
 *
 * @returns the values, and one problem for each name or value that cannot be used
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): {
  values: { path: SettingPath; value: unknown }[];
  problems: string[];
} {
  const paths = new Map(settingPaths().map((path) => [variableOf(path), path]));
  const values: { path: SettingPath; value: unknown }[] = [];
  const problems: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('PANDAFUZZ_') || text === undefined) continue;
    const path = paths.get(name);
    if (!path) {
      if (!isForOthers(name, text)) {
        problems.push(`${name}: no such setting${suggestion(name, [...paths.keys()])}`);
      }
      continue;
    }
    try {
      values.push({ path, value: readValue(text, typeOf(path)) });
    } catch (error) {
      problems.push(`${name}: must be YAML: ${messageOf(error).split('\n')[0]}`);
    }
  }
  return { values, problems };
}

const isForOthers = (name: string, text: string): boolean =>
  otherVariables.has(name) ||
  serviceVariable.test(name) ||
  (/^PANDAFUZZ_(\w+_)?PORT$/.test(name) && serviceAddress.test(text));

/** As JSON Schema names it: "string", "integer", "number", "array", "object"; else undefined. */
function typeOf([section, key]: SettingPath): string | undefined {
  return jsonSchema().properties[section]?.properties[key]?.type;
}

interface SettingTypes {
  readonly properties: Record<string, { readonly properties: Record<string, { type?: string }> }>;
}

let types: SettingTypes | undefined;

function jsonSchema(): SettingTypes {
  types ??= z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }) as SettingTypes;
  return types;
}

/** A number that is none stays text, which the schema then refuses in its own words. */
function readValue(text: string, type: string | undefined): unknown {
  if (type === 'array' || type === 'object') return parseYaml(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const isNumber = type === 'integer' || type === 'number';
  return isNumber && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : text;
}
