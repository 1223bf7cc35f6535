import type { Answer, EngineCommand } from '../engines/engine.js';
import { startSideProcess } from './side-process.js';
import type { StartParts } from './start.js';

/** For a target to say what it has in it, milliseconds. */
const answerMs = 60_000;
const stopGraceMs = 200;
/** Of an answer, bytes. */
const mostOutputBytes = 64 * 1024;

export type AskParts = Pick<StartParts, 'tools' | 'clock' | 'signal'> & {
  readonly folder: Pick<StartParts['folder'], 'work' | 'temporary'>;
};

/** Runs a target for what only it can say, in the sandbox of its run. */
export const askTarget =
  (parts: AskParts) =>
  async (command: EngineCommand): Promise<Answer> => {
    const { folder, signal } = parts;
    let output = '';
    const { exited } = await startSideProcess(parts, command, {
      ...{ cwd: folder.work, temporary: folder.temporary, stopGraceMs, limitMs: answerMs },
      onOutput: (chunk) => {
        if (output.length < mostOutputBytes) output += chunk.toString('utf8');
      },
    });
    const exit = await exited;
    signal.throwIfAborted();
    return { exit, output: output.slice(0, mostOutputBytes) };
  };
