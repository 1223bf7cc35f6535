import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Connection } from '../../client/connect.js';
import { endOf, inputFile, replayEnvironment, replayLine } from '../../core/replay.js';
import { version } from '../../core/version.js';
import { CrashContext } from '../../gen/pandafuzz/v1/crash.js';
import { bytes, plain } from '../format.js';
import { asJson, print } from '../output.js';
import { checkOutputFile, replaceFile } from '../output-file.js';
import { type Count, withCount } from '../progress.js';
import { asking, type Flags } from '../session.js';
import type { CallOptions } from '../submit.js';
import { groupStatus } from '../words.js';
import { many } from './describe.js';
import type { Dossier } from './dossier.js';
import { groupFolderName } from './fetch.js';
import type { GroupFlags } from './filter.js';
import { gather } from './gather.js';
import { inputStream } from './input-stream.js';
import { groupSection } from './markdown.js';
import { dossierJson } from './show.js';
import { type TarFile, tarStream, textFile } from './tar-stream.js';

/** `pandafuzz crash export`: a .tar.gz of reproducers, a folder for each group. */

export interface ExportFlags extends Flags, GroupFlags {
  readonly output: string;
  readonly force?: boolean;
}

interface Exported {
  readonly manifest: ReturnType<typeof manifestEntry>[];
  sizeBytes: number;
}

export function exportCrashes(flags: ExportFlags, ids: readonly string[]): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { output } = flags;
    await checkOutputFile(output, flags.force ?? false);
    const done: Exported = { manifest: [], sizeBytes: 0 };
    const dossiers = gather(connection, flags, ids, options);
    await withCount((count) =>
      writeArchive(output, archiveFiles(connection, dossiers, { done, count }, options)),
    );
    const { size: sizeBytes } = await stat(output);
    const groups = done.manifest.length;
    print(asJson(flags), {
      json: () => ({ path: output, groups, sizeBytes }),
      text: () => plain(`${output}: reproducers of ${many(groups, 'group')}, ${bytes(sizeBytes)}`),
    });
  });
}

const writeArchive = (path: string, files: AsyncIterable<TarFile>): Promise<void> =>
  replaceFile(path, (partial) =>
    pipeline(Readable.from(tarStream(files)), createGzip(), createWriteStream(partial)),
  );

/** The manifest comes last: it lists what is in the archive. */
async function* archiveFiles(
  connection: Connection,
  dossiers: AsyncIterable<Dossier>,
  { done, count }: { done: Exported; count: Count },
  { signal }: Required<CallOptions>,
): AsyncGenerator<TarFile> {
  const folders = new Set<string>();
  for await (const dossier of dossiers) {
    const { crash } = dossier;
    const folder = unusedName(folders, groupFolderName(dossier.group));
    yield {
      path: `${folder}/${inputFile}`,
      sizeBytes: crash.inputSizeBytes,
      content: inputStream(connection, crash, signal),
    };
    yield textFile(`${folder}/report.txt`, crash.report);
    yield textFile(`${folder}/crash.json`, `${JSON.stringify(dossierJson(dossier), null, 2)}\n`);
    yield textFile(`${folder}/README.md`, `${readme(dossier)}\n`);
    done.manifest.push(manifestEntry(folder, dossier));
    done.sizeBytes += crash.inputSizeBytes;
    count(`${many(done.manifest.length, 'group')}, ${bytes(done.sizeBytes)}`);
  }
  const manifest = {
    format: 'pandafuzz-crashes/1',
    version,
    madeAt: new Date().toISOString(),
    crashes: done.manifest,
  };
  yield textFile('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Several crashes of one group may have been asked for. */
function unusedName(used: Set<string>, name: string): string {
  let free = name;
  for (let count = 2; used.has(free); count++) free = `${name}-${count}`;
  used.add(free);
  return free;
}

const readme = (dossier: Dossier) =>
  [
    groupSection(dossier, Date.now()),
    'The input is here already, as `reproducer`. The command runs in this folder, with the build\n' +
      'of the target beside it. `crash.json` has everything that is known.',
  ].join('\n\n');

function manifestEntry(folder: string, { group, crash }: Dossier) {
  const { context } = crash;
  const whole = context ?? CrashContext.create();
  return {
    folder,
    groupId: group.id,
    crashId: crash.id,
    project: group.project,
    targetName: group.targetName,
    kind: group.kind,
    topFrame: group.topFrame,
    message: group.message,
    security: group.security,
    status: groupStatus(group),
    note: group.note,
    crashHits: group.crashHits,
    crashInputsKept: group.crashInputsKept,
    firstFoundAt: group.firstFoundAt?.toISOString() ?? '',
    lastFoundAt: group.lastFoundAt?.toISOString() ?? '',
    input: {
      file: `${folder}/${inputFile}`,
      sha256: crash.inputSha256,
      sizeBytes: crash.inputSizeBytes,
    },
    report: `${folder}/report.txt`,
    targetSha256: whole.targetSha256,
    engine: whole.engine,
    engineVersion: whole.engineVersion,
    endedWith: endOf(context),
    command: whole.command,
    environment: whole.environment,
    reproduce: { environment: replayEnvironment(crash), shell: replayLine(crash, inputFile) },
  };
}
