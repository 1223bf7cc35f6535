import { z } from 'zod';

/** A setting's keys, e.g. ["grpc", "address"], or ["slots"] in a file without sections. */
export type SettingPath = readonly string[];

/** The settings of one program. */
export interface Settings<Config = unknown> {
  /** Every key with its default. */
  readonly keys: z.ZodObject;
  /** The same, with what is made of several keys together. */
  readonly schema: z.ZodType<Config>;
  /** Begins the names of its variables. */
  readonly prefix: string;
  /** Variables that are another name of a setting's own. */
  readonly aliases: Readonly<Record<string, SettingPath>>;
  /** Variables with that prefix that belong to other programs. */
  readonly isForOthers: (name: string) => boolean;
  /** The file of the repository that lists them all. */
  readonly listedIn: string;
}

/** Every setting's path, in the order of the schema. */
export function settingPaths({ keys }: Pick<Settings, 'keys'>): SettingPath[] {
  return Object.entries(keys.shape).flatMap(([key, schema]): SettingPath[] => {
    const section = sectionOf(schema);
    return section ? Object.keys(section.shape).map((inner) => [key, inner]) : [[key]];
  });
}

function sectionOf(schema: unknown): z.ZodObject | undefined {
  const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : undefined;
  return inner instanceof z.ZodObject ? inner : undefined;
}

export const variableOf = ({ prefix }: Pick<Settings, 'prefix'>, path: SettingPath): string =>
  `${prefix}${path.join('_').toUpperCase()}`;

/** What a setting holds; `texts` is a map whose values are texts. */
export type SettingType = 'text' | 'number' | 'boolean' | 'texts' | 'tree' | 'mixed';

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
}

const known = new WeakMap<z.ZodObject, JsonSchema>();

export function typeOf({ keys }: Pick<Settings, 'keys'>, path: SettingPath): SettingType {
  let schema = known.get(keys);
  if (!schema) {
    schema = z.toJSONSchema(keys, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    known.set(keys, schema);
  }
  for (const key of path) schema = schema?.properties?.[key];
  const { type, additionalProperties } = schema ?? {};
  if (type === 'string') return 'text';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'boolean') return 'boolean';
  if (type === 'array') return 'tree';
  if (type !== 'object') return 'mixed';
  const isOfTexts =
    typeof additionalProperties === 'object' && additionalProperties.type === 'string';
  return isOfTexts ? 'texts' : 'tree';
}
