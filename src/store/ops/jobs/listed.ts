import { rowBytes, type Shortened } from '../../page-bytes.js';
import type { JobRow } from '../../rows.js';

/** Length of a job's arguments and environment together from which lists leave them out. */
const longestListed = 4096;

/** The row as lists have it: without arguments and environment, where they are long. */
export function listed(row: JobRow): JobRow & Shortened {
  if (row.spec.length <= longestListed) return row;
  const { arguments: given = [], environment = {}, ...spec } = JSON.parse(row.spec);
  const texts: string[] = [...given, ...Object.entries<string>(environment).flat()];
  if (texts.reduce((sum, text) => sum + text.length, 0) <= longestListed) return row;
  return { ...row, spec: JSON.stringify(spec), read_bytes: rowBytes(row) };
}
