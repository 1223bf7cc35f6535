import { join } from 'node:path';
import { unary } from '../../client/call.js';
import { UserError } from '../../core/errors.js';
import { ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { Target } from '../../gen/pandafuzz/v1/target.js';
import { fuzzersIn } from '../../target/fuzzers.js';
import { dataError } from '../exit-codes.js';
import { nameOf } from '../file-names.js';
import { complain, print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { checkOwnDictionary, withArchiveFor, withOpenBundle } from './bundle.js';
import { engineAtDoor } from './submitted.js';
import { targetTable } from './table.js';
import { uploader } from './uploader.js';

/**
 * Brings in every fuzzer of a build output. One that is refused is named, and the others are
 * brought in all the same.
 *
 * @returns the exit code
 * @throws UserError
 */
export function importTargets(
  flags: Flags & { project?: string; engine?: string; check: boolean },
  path: string,
): Promise<number> {
  const { project = '', engine = '', check: isChecked } = flags;
  return asking(flags, (connection, options) =>
    withOpenBundle(path, async (bundle) => {
      const { fuzzers } = await fuzzersIn(bundle.folder);
      if (fuzzers.length === 0) {
        throw new UserError(`${path}: there is no fuzzer in it`, dataError);
      }
      const context = { connection, options, isChecked, spec: { engine, project } };
      const upload = uploader(connection, options);
      const brought: Target[] = [];
      const bring = async (executable: string) => {
        const name = nameOf(executable);
        const at = join(bundle.folder, executable);
        const builtFor = await engineAtDoor({ path: at, name, isBundle: true }, context);
        if (isChecked) await checkOwnDictionary(bundle, executable);
        const targetSha256 = await withArchiveFor(bundle, executable, (archive) =>
          upload(ArtifactKind.BUNDLE, archive, name),
        );
        const build = {
          ...{ engine: builtFor, targetSha256, executable },
          ...{ seedsSha256: '', dictionarySha256: '', registeredAt: undefined },
        };
        const { targets } = connection;
        const request = { project, targetName: name, build };
        const { target } = await unary(targets, targets.registerBuild, request, options);
        if (target) brought.push(target);
      };
      let refused = 0;
      for (const executable of fuzzers) {
        await bring(executable).catch((error) => {
          if (!(error instanceof UserError) || error.exitCode !== dataError) throw error;
          complain(error.message);
          refused += 1;
        });
      }
      print(flags, {
        json: () => ({ targets: brought.map(Target.toJSON) }),
        text: () => targetTable(brought, Date.now()),
      });
      return refused > 0 ? dataError : 0;
    }),
  );
}
