import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { messageOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { keepPlainWords } from './plain-words.js';
import type { Settings } from './settings.js';

/** EX_CONFIG of sysexits.h. */
export const badConfiguration = 78;

export type Tree = { [key: string]: unknown };

/** A file of settings: its values, and the line of each. */
export interface SettingsFile {
  readonly tree: Tree;
  /** Line of the key at this path, or of the nearest key above it; 0 for none. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** @throws UserError for a file that cannot be read, is no YAML, or holds no keys */
export function readSettingsFile(file: string, settings: Settings): SettingsFile {
  const lines = new LineCounter();
  const document = parse(file, readText(file), lines);
  keepPlainWords(document, settings);
  const tree: unknown = toTree(file, document) ?? {};
  if (typeof tree !== 'object' || Array.isArray(tree))
    throw refuse(file, 'must be keys and values');
  const lineAt = (offset: number) => lines.linePos(offset).line;
  return { tree: tree as Tree, lineOf: (path) => lineOf(document, path, lineAt) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(file, `cannot be read: ${describeTrouble(error, file) ?? messageOf(error)}`);
  }
}

function parse(file: string, text: string, lineCounter: LineCounter): Document {
  const document = parseDocument(text, { lineCounter });
  const [error] = document.errors;
  if (error) throw refuse(file, `cannot be read: ${error.message.split('\n')[0]}`);
  return document;
}

/** Aliases without an anchor, and too many of them, are found only here. */
function toTree(file: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw refuse(file, `cannot be read: ${messageOf(error)}`);
  }
}

const refuse = (file: string, why: string) =>
  new UserError(`configuration (${file}): ${why}`, badConfiguration);

function lineOf(
  document: Document,
  path: readonly PropertyKey[],
  lineAt: (offset: number) => number,
): number {
  let node: unknown = document.contents;
  let line = 0;
  for (const key of path) {
    if (!isMap(node)) break;
    const pair = node.items.find(({ key: name }) => isScalar(name) && String(name.value) === key);
    if (!pair || !isNode(pair.key) || !pair.key.range) break;
    line = lineAt(pair.key.range[0]);
    node = pair.value;
  }
  return line;
}
