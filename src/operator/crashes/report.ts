import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Result } from 'sarif';
import { UserError } from '../../core/errors.js';
import { plain, plainJson } from '../../core/unseen.js';
import { checkOutputFile, replaceFile } from '../output-file.js';
import { type Count, withCount } from '../progress.js';
import { asking, type Flags } from '../session.js';
import { many } from './describe.js';
import type { Dossier } from './dossier.js';
import type { GroupFlags } from './filter.js';
import { gather } from './gather.js';
import { groupSection } from './markdown.js';
import { sarifLog, sarifResult } from './sarif.js';
import { dossierJson } from './show.js';

/** `pandafuzz crash report`. */

export const reportFormats = ['markdown', 'json', 'sarif'] as const;

export interface ReportFlags extends Flags, GroupFlags {
  readonly format: (typeof reportFormats)[number];
  readonly output?: string;
  readonly force?: boolean;
  readonly sourceRoot?: string;
}

export function reportCrashes(flags: ReportFlags, ids: readonly string[]): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { output } = flags;
    if (output !== undefined) await checkOutputFile(output, flags.force ?? false);
    const dossiers = gather(connection, flags, ids, options);
    if (output === undefined) {
      // Standard output outlives the pipeline.
      await pipeline(Readable.from(written(dossiers, flags)), process.stdout, { end: false });
      return;
    }
    const groups = await withCount((count) => writeReport(output, dossiers, flags, count));
    process.stderr.write(`${plain(`${output}: ${many(groups, 'group')}`)}\n`);
  });
}

/** How a report is written. */
type Form = Pick<ReportFlags, 'format' | 'json' | 'sourceRoot'>;

/**
 * The file appears only once it is whole.
 *
 * @returns how many groups are in it
 */
export async function writeReport(
  path: string,
  dossiers: AsyncIterable<Dossier>,
  form: Form,
  count: Count = () => {},
): Promise<number> {
  let groups = 0;
  const counted = async function* () {
    for await (const dossier of dossiers) {
      groups += 1;
      count(many(groups, 'group'));
      yield dossier;
    }
  };
  await replaceFile(path, (partial) =>
    pipeline(Readable.from(written(counted(), form)), createWriteStream(partial)),
  );
  return groups;
}

function written(dossiers: AsyncIterable<Dossier>, form: Form): AsyncIterable<string> {
  if (form.json || form.format === 'json') return jsonReport(dossiers);
  return form.format === 'sarif' ? sarifReport(dossiers, form) : markdownReport(dossiers);
}

async function* markdownReport(dossiers: AsyncIterable<Dossier>): AsyncGenerator<string> {
  yield '# Crashes\n';
  let groups = 0;
  for await (const dossier of dossiers) {
    groups += 1;
    yield `\n${groupSection(dossier, Date.now())}\n`;
  }
  if (groups === 0) yield '\nNone.\n';
}

async function* jsonReport(dossiers: AsyncIterable<Dossier>): AsyncGenerator<string> {
  let before = '{\n"crashes": [\n';
  for await (const dossier of dossiers) {
    yield before + plainJson(JSON.stringify(dossierJson(dossier), null, 2));
    before = ',\n';
  }
  yield before.startsWith('{') ? '{\n"crashes": []\n}\n' : '\n]\n}\n';
}

/** Its results have no whole report, so that they can be held until all are there. */
async function* sarifReport(
  dossiers: AsyncIterable<Dossier>,
  { sourceRoot }: Form,
): AsyncGenerator<string> {
  if (sourceRoot !== undefined && !sourceRoot.startsWith('/')) {
    throw new UserError('--source-root must be the whole path that the target was built under', 64);
  }
  const results: Result[] = [];
  for await (const dossier of dossiers) results.push(sarifResult(dossier, { sourceRoot }));
  yield `${plainJson(JSON.stringify(sarifLog(results, { sourceRoot }), null, 2))}\n`;
}
