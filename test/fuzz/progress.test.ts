import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import { figuresOf, picture } from '../../src/fuzz/progress.js';
import { Job, JobState } from '../../src/gen/pandafuzz/v1/job.js';

const id = '01a22204-94f7-7290-a4df-fbe3b605de82';
const restarts = (rate: string, share: string) =>
  `crashes in paint (${id}) end the target ${rate} times a second: ${share} % of the time goes into restarts`;

const jobSaying = (...texts: string[]) =>
  Job.fromPartial({
    state: JobState.RUNNING,
    statistics: { notes: texts.map((text) => ({ text })) },
  });

test('what two jobs say of one thing is shown once, in whole words, with a short id', () => {
  const jobs = [jobSaying(restarts('0.57', '49')), jobSaying(restarts('0.71', '44'), 'no leaks')];
  const given = {
    ...{ target: './fuzzer', health: 'finding', figures: figuresOf(jobs), elapsedMs: 1000 },
    ...{ sinceFindMs: 0, groups: [], newGroups: new Set<string>(), reason: undefined },
  };
  const lines = picture(given, { lines: 24, columns: 60 }).split('\n');
  const notes = stripVTControlCharacters(lines.slice(7, -1).join('\n'));
  expect(notes).toBe(`  note      crashes in paint (01a22204-94f7) end the target
            0.57 times a second: 49 % of the time goes into
            restarts
  note      no leaks`);
});
