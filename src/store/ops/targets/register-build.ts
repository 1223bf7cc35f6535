import { writeOperation } from '../../operation.js';
import type { Steps } from '../../statement.js';
import { addBuild, type NewBuild, tooManyTargets } from './add-build.js';
import { expectArtifacts } from './find-uses.js';
import { knownTarget, type TargetWithBuilds } from './get-target.js';

/**
 * Makes a build the newest of its target.
 *
 * @throws NotFoundError for an artifact that was not uploaded; QuotaError
 */
export const registerBuild = writeOperation(
  'register_build',
  'work',
  function* (build: NewBuild): Steps<TargetWithBuilds> {
    yield* expectArtifacts(build);
    if (!(yield* addBuild(build))) throw tooManyTargets();
    return yield* knownTarget({ ...build, limit: 1 });
  },
);
