import { parseYaml } from './plain-words.js';
import { type SettingPath, type Settings, settingPaths, typeOf, variableOf } from './settings.js';
import { suggestion } from './suggestion.js';

/** Variables that Kubernetes adds for each service whose name begins with "pandafuzz". */
const serviceVariable = /^PANDAFUZZ_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+)$/;
const serviceAddress = /^(tcp|udp|sctp):\/\//;

/** A value of the environment. */
export interface Given {
  readonly path: SettingPath;
  readonly value: unknown;
  /** The variable that it is from. */
  readonly variable: string;
}

/**
 * Settings from the environment: the prefix, and the key in capitals with `_` for `.`.
 * Values are taken as they are; lists and maps are read as YAML.
 *
 * @returns the values, and one problem for each name or value that cannot be used
 */
export function readEnvironment(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
): { values: Given[]; problems: string[] } {
  const own = settingPaths(settings).map((path) => [variableOf(settings, path), path] as const);
  const values: Given[] = [];
  const problems: string[] = [];
  // A setting's own variable comes after another name of it, and so wins.
  const paths = new Map<string, SettingPath>([...Object.entries(settings.aliases), ...own]);
  for (const [variable, path] of paths) {
    const text = environment[variable];
    if (text === undefined || isService(variable, text)) continue;
    try {
      values.push({ path, variable, value: readValue(text, settings, path) });
    } catch {
      // The parser's message quotes the value, which may be a secret.
      problems.push(`${variable}: must be YAML`);
    }
  }
  for (const [name, text] of Object.entries(environment)) {
    const isOurs = name.startsWith(settings.prefix) && !paths.has(name) && text !== undefined;
    if (!isOurs || settings.isForOthers(name) || isService(name, text)) continue;
    const names = own.map(([known]) => known);
    problems.push(`${name}: no such setting${suggestion(name, names, settings.listedIn)}`);
  }
  return { values, problems };
}

const isService = (name: string, text: string): boolean =>
  serviceVariable.test(name) || (/^PANDAFUZZ_(\w+_)?PORT$/.test(name) && serviceAddress.test(text));

/** A number that is none stays text, which the schema then refuses in its own words. */
function readValue(text: string, settings: Settings, path: SettingPath): unknown {
  const type = typeOf(settings, path);
  if (type === 'tree' || type === 'texts') return parseYaml(text, type);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return type === 'number' && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : text;
}
