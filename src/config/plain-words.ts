import { type Document, isMap, isScalar, parseDocument } from 'yaml';
import { type Settings, settingPaths, typeOf } from './settings.js';

/*
 * A name of digits is a name. YAML reads the plain words 20261127, 0x10, 1e3 and true as
 * something else than texts; where a setting holds a text, they are taken as they are written.
 */

/** Makes texts of such words, wherever the settings hold texts. */
export function keepPlainWords(document: Document, settings: Settings): void {
  for (const path of settingPaths(settings)) {
    const type = typeOf(settings, path);
    if (type === 'text') keepAsText(document.getIn(path, true));
    if (type === 'texts') keepValues(document.getIn(path, true));
  }
}

/** A list or map that stands alone. @throws the parser's first error */
export function parseYaml(text: string, type: 'tree' | 'texts'): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw error;
  if (type === 'texts') keepValues(document.contents);
  return document.toJS();
}

function keepValues(node: unknown): void {
  if (isMap(node)) for (const { value } of node.items) keepAsText(value);
}

function keepAsText(node: unknown): void {
  if (!isScalar(node) || typeof node.value === 'string' || node.value === null) return;
  if (node.source !== undefined) node.value = node.source;
}
