import { Command } from 'commander';
import type { JobChange } from '../operator/jobs.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

/** The commands that want something of jobs by their ids, and differ in what. */
const changes: readonly { name: JobChange; summary: string; description: string }[] = [
  {
    name: 'cancel',
    summary: 'stop jobs',
    description: 'Stops jobs: waiting ones at once, running ones as soon as their bot has.',
  },
  {
    name: 'pause',
    summary: 'hold jobs back',
    description:
      'Holds jobs back until "job resume": waiting ones at once, running ones as soon as\n' +
      'their bot has stopped them. No attempt is used up.',
  },
  {
    name: 'resume',
    summary: 'let paused jobs go on',
    description: 'Lets paused jobs wait for their turn again.',
  },
  {
    name: 'retry',
    summary: 'revive dead jobs',
    description: 'Revives dead jobs, with all their attempts again. Their history is kept.',
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
