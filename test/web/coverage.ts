import { gzipSync } from 'node:zlib';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { importCorpus } from '../../src/client/corpora.js';
import { corpusInput } from '../../src/client/corpus.js';
import {
  CoverageBuild,
  CoverageDetail,
  CoverageFileUpload,
} from '../../src/gen/pandafuzz/v1/coverage_service.js';
import { JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { given, registerBot, uploadTarget } from '../steps.js';
import { hostile } from './hostile.js';

const forPictures = process.env['PICTURES'] !== undefined;
const target = { project: 'default', targetName: 'png_read' };

/** A path as a hostile program may say that its source has; control characters are refused. */
export const hostilePath = forPictures
  ? '/src/libpng/pngrutil.c'
  : `/src/${hostile.markup} ${hostile.bidi}/evil.c`.slice(0, 200);

const source = (name: string) =>
  forPictures
    ? `/* ${name} */\nint read_row(void) {\n  if (!row)\n    return 0;\n\n  return 1;\n}\n`
    : `${hostile.everything}\n${hostile.markup}\n\tint ${hostile.bidi};\n\n${'x'.repeat(5000)}\n`;

function file(path: string, steps: number[], counts: number[], hasSource: boolean) {
  const text = hasSource ? source(path).toWellFormed() : undefined;
  const detail = CoverageDetail.create({
    steps,
    counts,
    ...(text !== undefined && { source: text }),
  });
  return CoverageFileUpload.create({
    path,
    sums: {
      ...{ lines: 0, coveredLines: 0, functions: 3 },
      coveredFunctions: 2,
      regions: 9,
      coveredRegions: 4,
    },
    detail: gzipSync(CoverageDetail.encode(detail).finish()),
  });
}

/** Two reports of a target, the second of which covers more and less. */
export async function coverageScene(connection: Connection): Promise<void> {
  const { coverage, jobs } = connection;
  await importCorpus(connection, target, [corpusInput(Buffer.from('covers'))]);
  const { sha256: targetSha256 } = await uploadTarget(connection, Buffer.from('coverage build'));
  const build = CoverageBuild.create({ targetSha256 });
  await unary(coverage, coverage.registerCoverageBuild, { ...target, build });
  const bot = await registerBot(connection, 'coverage-01', { engines: ['coverage'] });
  for (const counts of [
    [1, 0, 7],
    [0, 2, 5],
  ]) {
    await unary(coverage, coverage.measureCoverage, target);
    const wish = { botId: bot.id, waitMs: 10_000, leaseTtlMs: 0 };
    const lease = given((await unary(jobs, jobs.assignJob, wish)).assignment?.lease);
    const files = [
      file(hostilePath, [1, 1, 1], counts, true),
      file('/src/libpng/pngread.c', [4, 2, 1], [0, 0, 0], false),
    ];
    await unary(coverage, coverage.addCoverageFiles, { lease, files });
    const note = forPictures ? '' : hostile.markup;
    const figures = { inputs: 312, failedInputs: 2, revision: 1, cursor: 1 };
    await unary(coverage, coverage.finishCoverage, {
      lease,
      tools: 'LLVM 14.0.6',
      note,
      ...figures,
    });
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    await unary(jobs, jobs.completeJob, { lease, result });
  }
}
