import { cp, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { Coverage, CoverageBuild } from '../../gen/pandafuzz/v1/coverage_service.js';
import { Job, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { noInput, usage } from '../exit-codes.js';
import { allCompleted, followJobs } from '../follow.js';
import { plain } from '../format.js';
import { print } from '../output.js';
import { asking } from '../session.js';
import type { CallOptions } from '../submit.js';
import { expectExecutable } from '../target.js';
import { withTemporaryFolder } from '../targets/pack.js';
import { type SubmittedTarget, withTarget } from '../targets/submitted.js';
import { uploader } from '../targets/uploader.js';
import { about, type CoverageFlags, type CoverageKey, coverageKey } from './words.js';

/** `pandafuzz coverage run`, and the coverage builds that it and campaigns bring. */

export interface BuildFlags {
  /** A folder or an archive with the program in it. */
  readonly bundle?: string;
  /** A folder of sources that goes along with a program. */
  readonly sources?: string;
}

/** @returns the exit code */
export function runCoverage(
  flags: CoverageFlags & BuildFlags & { readonly wait?: boolean; readonly register?: boolean },
  targetName: string,
  program: string | undefined,
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const key = coverageKey(flags, targetName);
    const { coverage } = connection;
    if (program !== undefined || flags.bundle !== undefined) {
      const known = await sendCoverageBuild(connection, { ...flags, key, program }, options);
      if (flags.register) {
        print(flags, {
          json: () => Coverage.toJSON(known),
          text: () => plain(`the coverage build of ${targetName} is on record`),
        });
        return 0;
      }
    } else if (flags.sources !== undefined || flags.register) {
      throw new UserError('name the coverage build to send: a program, or --bundle', usage);
    }
    const begun = await about(key, unary(coverage, coverage.measureCoverage, key, options));
    const jobs = flags.wait ? await followJobs(connection, [begun.jobId], options) : undefined;
    const results = jobs?.map(({ result }) => result?.message ?? '') ?? [];
    print(flags, {
      json: () => ({ ...begun, ...(jobs && { jobs: jobs.map(Job.toJSON) }) }),
      text: () => (jobs ? results.map(plain).join('\n') : plain(begun.jobId)),
    });
    return jobs && !allCompleted(jobs) ? 1 : 0;
  });
}

/** Uploads a build, unless the master has it, and makes it the coverage build of a target. */
export async function sendCoverageBuild(
  connection: Connection,
  wanted: BuildFlags & { readonly key: CoverageKey; readonly program: string | undefined },
  options: CallOptions,
): Promise<Coverage> {
  const { key, program, bundle, sources } = wanted;
  if (bundle !== undefined && sources !== undefined) {
    throw new UserError('--sources go along with a program; put them into the bundle', usage);
  }
  if (bundle !== undefined)
    return send({ bundle, executable: program ?? '' }, key, connection, options);
  const file = program ?? '';
  await expectExecutable(file);
  if (sources === undefined) return send({ file }, key, connection, options);
  return withTemporaryFolder(async (folder) => {
    await copySources(sources, folder);
    await cp(file, join(folder, basename(file)));
    return send({ bundle: folder, executable: basename(file) }, key, connection, options);
  });
}

async function send(
  target: SubmittedTarget,
  key: CoverageKey,
  connection: Connection,
  options: CallOptions,
): Promise<Coverage> {
  // Its engine does not matter: it only has to run the files that it is given.
  const spec = JobSpec.create({ ...key, engine: 'libfuzzer' });
  const context = { connection, options, isChecked: false, spec };
  const upload = uploader(connection, options);
  const build = await withTarget(target, context, async (ready) => ({
    targetSha256: await ready.sha256(upload),
    executable: ready.executable,
  }));
  const { coverage } = connection;
  const request = { ...key, build: CoverageBuild.create(build) };
  const answer = await unary(coverage, coverage.registerCoverageBuild, request, options);
  if (!answer.coverage) throw new UserError('the master sent no coverage');
  return answer.coverage;
}

/** Ends of names of sources that clang compiles, and of what they include. */
const sourceEnds = new Set(
  '.c .cc .cpp .cxx .c++ .h .hh .hpp .hxx .h++ .inc .inl .def .ipp .tcc .m .mm .rs .swift .y .l'.split(
    ' ',
  ),
);

/** Sources alone go along: a folder may have much more. */
async function copySources(sources: string, folder: string): Promise<void> {
  const found = await stat(sources).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError(`${sources}: there is no such folder`, noInput);
  const into = join(folder, basename(resolve(sources)) || 'sources');
  await makeFolder(into);
  await cp(sources, into, {
    recursive: true,
    filter: async (path) => {
      if (basename(path) === '.git' || basename(path) === 'node_modules') return false;
      const at = await stat(path).catch(() => undefined);
      return at?.isDirectory() || (at?.isFile() === true && sourceEnds.has(extname(path)));
    },
  });
}
