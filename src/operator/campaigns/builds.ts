import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import { ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { CampaignBuild } from '../../gen/pandafuzz/v1/campaign_service.js';
import { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { withSeedArchive } from '../seeds.js';
import type { CallOptions } from '../submit.js';
import { checkDictionaryFile } from '../targets/dictionary.js';
import { type SubmittedTarget, withTarget } from '../targets/submitted.js';
import { type UploadFile, uploader } from '../targets/uploader.js';

/** What a campaign is to run, as people name it. */
export interface WantedBuilds {
  /** Executables; with `bundle`, their paths in it. */
  readonly paths: readonly string[];
  readonly bundle?: string;
  /** A target that the master knows, or the path of an executable. */
  readonly target?: string;
  readonly engine?: string;
  readonly sanitizer?: string;
  readonly isChecked: boolean;
  readonly project: string;
}

/** Builds that the master has by now, and the target's name where they tell one. */
export interface ReadyBuilds {
  readonly builds: readonly CampaignBuild[];
  readonly targetName: string;
}

/**
 * Uploads what the master does not have.
 *
 * @throws UserError for a target that is refused at the door
 */
export async function readyBuilds(
  connection: Connection,
  wanted: WantedBuilds,
  options: CallOptions,
): Promise<ReadyBuilds> {
  const upload = uploader(connection, options);
  const { engine = '', sanitizer = '', isChecked, project } = wanted;
  const known = await knownTargetOf(wanted);
  if (known !== undefined) return knownBuilds(connection, { ...wanted, target: known }, options);
  const spec = JobSpec.create({ engine, project });
  const context = { connection, options, isChecked, spec };
  const builds: CampaignBuild[] = [];
  let targetName = '';
  for (const target of targetsOf(wanted)) {
    const build = await withTarget(target, context, async (ready) => {
      targetName ||= ready.targetName;
      const { executable, seedsSha256, dictionarySha256 } = ready;
      const artifacts = { executable, seedsSha256, dictionarySha256 };
      const targetSha256 = await ready.sha256(upload);
      return CampaignBuild.create({ engine: ready.engine, sanitizer, targetSha256, ...artifacts });
    });
    builds.push(build);
  }
  return { builds, targetName };
}

function targetsOf({ paths, bundle, target }: WantedBuilds): SubmittedTarget[] {
  if (bundle !== undefined) {
    const executables = paths.length > 0 ? paths : [''];
    return executables.map((executable) => ({ bundle, executable }));
  }
  return [...paths, ...(target === undefined ? [] : [target])].map((file) => ({ file }));
}

/** The name of a target that the master knows; undefined: `target` is a file, or none. */
async function knownTargetOf({ target }: WantedBuilds): Promise<string | undefined> {
  if (target === undefined || target.includes('/')) return undefined;
  const isFile = await stat(target).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? undefined : target;
}

/** The newest build of each engine. */
async function knownBuilds(
  { targets }: Connection,
  wanted: WantedBuilds & { readonly target: string },
  options: CallOptions,
): Promise<ReadyBuilds> {
  const { target: targetName, project, engine, sanitizer = '' } = wanted;
  const { builds } = await unary(targets, targets.getTarget, { project, targetName }, options);
  const newest = new Map<string, CampaignBuild>();
  for (const build of builds) {
    if (newest.has(build.engine) || (engine && build.engine !== engine)) continue;
    const { targetSha256, executable, seedsSha256, dictionarySha256 } = build;
    const artifacts = { targetSha256, executable, seedsSha256, dictionarySha256 };
    newest.set(
      build.engine,
      CampaignBuild.create({ engine: build.engine, sanitizer, ...artifacts }),
    );
  }
  if (newest.size === 0) throw new UserError(`${targetName} has no build for ${engine}`);
  return { builds: [...newest.values()], targetName };
}

/** Seeds and dictionary as the master has them; undefined: none were given. */
export interface SentInputs {
  readonly seedsSha256: string | undefined;
  readonly dictionarySha256: string | undefined;
}

export async function sendInputs(
  connection: Connection,
  inputs: { seeds: readonly string[]; dictionary?: string | undefined; isChecked: boolean },
  options: CallOptions,
): Promise<SentInputs> {
  const upload = uploader(connection, options);
  const { seeds, dictionary, isChecked } = inputs;
  if (isChecked && dictionary !== undefined) await checkDictionaryFile(dictionary);
  return {
    seedsSha256: seeds.length === 0 ? undefined : await sendSeeds(seeds, upload),
    dictionarySha256:
      dictionary === undefined
        ? undefined
        : await upload(
            ArtifactKind.DICTIONARY,
            { path: dictionary, name: basename(dictionary).slice(-128) },
            'dict  ',
          ),
  };
}

const sendSeeds = (seeds: readonly string[], upload: UploadFile): Promise<string> =>
  withSeedArchive(seeds, (archive) => upload(ArtifactKind.SEEDS, archive, 'seeds '));
