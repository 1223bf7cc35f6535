import { Command, Option } from 'commander';
import { dataError } from '../operator/exit-codes.js';
import { bytes } from '../operator/format.js';
import { complain, print } from '../operator/output.js';
import { withCount } from '../operator/progress.js';
import { untilStopped } from '../operator/session.js';

const about = `
Targets, seeds, corpora and crash inputs are blobs. They lie in data.directory, or in the bucket
that blobs.url names. The command copies those that the database knows, compares each with its
SHA-256, and notes in the database where they are from then on. It deletes nothing: the old place
can be emptied when the master has run for a while. Stopped half way, it goes on another time.

Run it on the master's machine, as its user, while the master is stopped. blobs.url, and the
settings beside it, are needed for both directions. Then start the master: with blobs.url for s3,
without it for folder. Blobs that are missing or damaged are listed; the exit code is then 65.

Examples:
  $ pandafuzz blobs copy --to s3 --config /etc/pandafuzz/master.yaml
  $ PANDAFUZZ_BLOBS_URL=s3://fuzzing/blobs pandafuzz blobs copy --to folder`;

interface CopyFlags {
  readonly to: 'folder' | 's3';
  readonly config?: string;
  readonly json?: boolean;
}

export function blobsCommand(): Command {
  return new Command('blobs')
    .summary('move the blobs of a master to S3, or back')
    .description('Moves the blobs of a master that is stopped between its folder and a bucket.')
    .addCommand(copyCommand());
}

function copyCommand(): Command {
  return new Command('copy')
    .summary('copy all blobs to the other place, checked')
    .description(
      'Copies all blobs to the other place, checked, and notes in the database where they are.',
    )
    .addOption(
      new Option('--to <place>', 'where to').choices(['s3', 'folder']).makeOptionMandatory(),
    )
    .option('-c, --config <file>', "the master's settings")
    .option('--json', 'print JSON for scripts')
    .addHelpText('after', about)
    .action(copy);
}

async function copy(flags: CopyFlags): Promise<void> {
  // Loaded here, so that other commands start without the store's modules.
  const { copyBlobsOf } = await import('../app/copy-blobs.js');
  const {
    from,
    to,
    blobs,
    bytes: sizeBytes,
    lost,
    lostCount,
  } = await untilStopped((signal) =>
    withCount((count) =>
      copyBlobsOf(
        { config: flags.config, to: flags.to },
        { signal, onProgress: (copied) => count(`${copied.blobs} blobs, ${bytes(copied.bytes)}`) },
      ),
    ),
  );
  print(flags, {
    json: () => ({ from, to, blobs, sizeBytes, lost, lostCount }),
    text: () =>
      `${blobs - lostCount} blobs (${bytes(sizeBytes)}) copied from ${from} to ${to}, checked\n${next[flags.to]}`,
  });
  if (lostCount === 0) return;
  complain([`${lostCount} blobs are missing or damaged in ${from}:`, ...lost].join('\n'));
  process.exitCode = dataError;
}

const next = {
  s3: 'Start the master with blobs.url. The old folder is not needed any more: keep it for a while.',
  folder:
    'Start the master without blobs.url. The bucket is not needed any more: keep it for a while.',
} as const;
