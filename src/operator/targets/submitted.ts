import { join } from 'node:path';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import { ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { nameOf } from '../file-names.js';
import { complain } from '../output.js';
import type { CallOptions } from '../submit.js';
import { expectExecutable } from '../target.js';
import { checkOwnDictionary, fuzzerOf, withArchiveFor, withOpenBundle } from './bundle.js';
import { type Admitted, type AtDoor, admit } from './door.js';
import { machinesOf } from './machines.js';
import type { UploadFile } from './uploader.js';

/** What people submit: an executable, a bundle, or a target that the master knows. */
export type SubmittedTarget =
  | { readonly file: string }
  | { readonly bundle: string; readonly executable: string }
  | { readonly known: string };

/** What a job needs of its target. */
export interface ReadyTarget {
  readonly engine: string;
  readonly targetName: string;
  readonly executable: string;
  readonly seedsSha256: string;
  readonly dictionarySha256: string;
  /** Uploads it, unless the master has it. */
  sha256(upload: UploadFile): Promise<string>;
}

export interface TargetContext {
  readonly connection: Connection;
  readonly options: CallOptions;
  readonly isChecked: boolean;
  /** Engine, project and name as far as people gave them. */
  readonly spec: Partial<JobSpec>;
}

const defaultEngine = 'libfuzzer';

/**
 * Makes a target ready to be sent, while `use` runs.
 *
 * @throws UserError for one that is refused at the door
 */
export function withTarget<T>(
  target: SubmittedTarget,
  context: TargetContext,
  use: (ready: ReadyTarget) => Promise<T>,
): Promise<T> {
  if ('known' in target) return knownTarget(target.known, context).then(use);
  if ('file' in target) return programTarget(target.file, context).then(use);
  return withOpenBundle(target.bundle, async (bundle) => {
    const executable = await fuzzerOf(bundle, target.executable);
    const name = nameOf(executable);
    const path = join(bundle.folder, executable);
    const engine = await engineAtDoor({ path, name, isBundle: true }, context);
    if (context.isChecked) await checkOwnDictionary(bundle, executable);
    return use({
      ...nothingElse,
      engine,
      executable,
      targetName: context.spec.targetName || name,
      sha256: (upload) =>
        withArchiveFor(bundle, executable, (archive) =>
          upload(ArtifactKind.BUNDLE, archive, 'bundle'),
        ),
    });
  });
}

const nothingElse = { executable: '', seedsSha256: '', dictionarySha256: '' } as const;

async function programTarget(path: string, context: TargetContext): Promise<ReadyTarget> {
  await expectExecutable(path);
  const name = nameOf(path);
  const engine = await engineAtDoor({ path, name: path, isBundle: false }, context);
  return {
    ...nothingElse,
    engine,
    targetName: context.spec.targetName || name,
    sha256: (upload) => upload(ArtifactKind.TARGET, { path, name }, 'target'),
  };
}

/** The newest build of a target, for the engine that was asked for. */
async function knownTarget(
  targetName: string,
  { connection, options, spec }: TargetContext,
): Promise<ReadyTarget> {
  const { targets } = connection;
  const request = { project: spec.project ?? '', targetName };
  const { builds } = await unary(targets, targets.getTarget, request, options);
  const build = builds.find(({ engine }) => !spec.engine || engine === spec.engine);
  if (!build) {
    const engines = [...new Set(builds.map(({ engine }) => engine))].join(', ');
    throw new UserError(
      `${targetName} has no build for ${spec.engine}: there are builds for ${engines}`,
    );
  }
  const { engine, executable, seedsSha256, dictionarySha256, targetSha256 } = build;
  const artifacts = { executable, seedsSha256, dictionarySha256 };
  return { ...artifacts, engine, targetName, sha256: async () => targetSha256 };
}

/** The engine for a program, which is looked at first. Prints what may go wrong. */
export async function engineAtDoor(
  one: Pick<AtDoor, 'path' | 'name' | 'isBundle'>,
  { connection, options, isChecked, spec }: TargetContext,
): Promise<string> {
  if (!isChecked) return spec.engine || defaultEngine;
  const machines = await machinesOf(connection, options);
  const admitted: Admitted = await admit({ ...one, engine: spec.engine || undefined, machines });
  for (const warning of admitted.warnings) complain(`warning: ${warning}`);
  return admitted.engine;
}
