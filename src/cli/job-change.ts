import { Command } from 'commander';
import type { JobChange } from '../operator/jobs.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

/** Commands that apply one change to jobs by their ids. */
const changes: readonly { name: JobChange; summary: string; description: string }[] = [
  {
    name: 'cancel',
    summary: 'stop jobs',
    description: 'Stops jobs: waiting ones at once, running ones when their bot has stopped them.',
  },
  {
    name: 'pause',
    summary: 'hold jobs back',
    description:
      'Holds jobs back until "job resume": waiting ones at once, running ones when their bot\n' +
      'has stopped them. No attempt is used up.',
  },
  {
    name: 'resume',
    summary: 'let paused jobs wait for a bot again',
    description: 'Lets paused jobs wait for a bot again.',
  },
  {
    name: 'retry',
    summary: 'revive dead jobs',
    description: 'Revives dead jobs with all their attempts. Their history is kept.',
  },
];

export function jobChangeCommands(): Command[] {
  return changes.map(({ name, summary, description }) =>
    withOperatorFlags(
      new Command(name)
        .summary(summary)
        .description(description)
        .argument('<jobs...>', 'ids of the jobs')
        .action(async (ids: string[], flags: OperatorFlags) => {
          const { changeJobs } = await import('../operator/jobs.js');
          process.exitCode = await changeJobs(flags, name, ids);
        }),
    ),
  );
}
