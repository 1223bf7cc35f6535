import { join } from 'node:path';
import { readPlainFile } from '../../sandbox/plain-file.js';
import { removeSegmentsOf } from '../../sandbox/shared-memory.js';
import { shareFile } from '../bring-in.js';
import {
  type EngineObserver,
  type EngineProgress,
  type EngineStart,
  noProgress,
  type WrittenArtifact,
} from '../engine.js';
import { artifactName } from '../plain-names.js';
import { type AflFolders, foldersIn } from './folders.js';
import { ForeignInputs } from './foreign.js';
import { Instance } from './instance.js';
import { AflLog } from './log.js';

/**
 * Follows the instances of one start of AFL++: their log for what happens at the start, their
 * files for all the rest.
 */
export class AflObserver implements EngineObserver {
  readonly #log = new AflLog();
  readonly #folders: AflFolders;
  readonly #instances: Instance[];
  readonly #foreign: ForeignInputs;
  /** Files in the corpus folder that came from the instances. */
  readonly #own = new Set<string>();
  #ownBytes = 0;

  constructor(
    private readonly start: Pick<EngineStart, 'corpus' | 'artifacts' | 'state'>,
    names: readonly string[],
    private readonly onArtifact: (artifact: WrittenArtifact) => void,
  ) {
    this.#folders = foldersIn(start.state);
    const { inputs, output, foreign, before } = this.#folders;
    this.#foreign = new ForeignInputs(start.corpus, inputs, foreign);
    this.#instances = names.map((name) => {
      const folders = { folder: join(output, name), statsBefore: join(before, name) };
      return new Instance({ name, ...folders, to: start, onArtifact });
    });
  }

  push(chunk: Buffer, process: number): void {
    if (process === 0) this.#log.push(chunk);
  }

  end(): void {
    this.#log.end();
  }

  get lastWords(): string {
    return this.#log.lastWords;
  }

  async collect(isLast: boolean): Promise<void> {
    await this.#takeBadSeeds();
    for (const instance of this.#instances) {
      const { inputs, inputBytes } = await instance.look(isLast);
      for (const name of inputs) this.#own.add(name);
      this.#ownBytes += inputBytes;
    }
    if (!isLast) await this.#foreign.look(this.#own);
    // Also of instances that a bot which was killed had started.
    else await removeSegmentsOf(this.#instances.map(({ pid }) => pid));
  }

  /** AFL++ passes over seeds that crash or hang, and keeps them nowhere. */
  async #takeBadSeeds(): Promise<void> {
    for (const { name, kind } of this.#log.takeBadSeeds()) {
      const path = join(this.#folders.inputs, name.replaceAll('/', '_'));
      const input = await readPlainFile(path);
      if (!input) continue;
      const artifact = artifactName(kind, input);
      await shareFile(path, join(this.start.artifacts, artifact));
      const text = `AFL++ passed over this input at its start, as it results in a ${kind}\n`;
      const output = [{ bytes: Buffer.from(text), omittedBytes: 0 }];
      this.onArtifact({ name: artifact, output, isSuspect: true });
    }
  }

  get progress(): EngineProgress {
    const all = this.#instances.map(({ stats }) => stats);
    const most = (figures: number[]) => Math.max(0, ...figures);
    return {
      ...noProgress,
      executions: all.reduce((sum, { executions }) => sum + executions, 0),
      coverage: most(all.map(({ coverage }) => coverage)),
      corpusFiles: most(all.map(({ queueFiles }) => queueFiles)),
      corpusBytes: this.#ownBytes,
      peakMemoryBytes: most(all.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      isFuzzing: this.#log.isFuzzing,
      isDone: this.#log.isDone,
      isSilent: !this.#log.hasPrinted,
      newInputs: this.#own.size,
    };
  }
}
