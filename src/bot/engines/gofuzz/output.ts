import { OutputRecord } from '../../sandbox/output-record.js';
import type { WrittenArtifact } from '../engine.js';
import { EngineLog } from '../printed-lines.js';

const status =
  /^fuzz: elapsed: \S+, execs: (\d{1,15}) \(\d+\/sec\)(?:, new interesting: (\d{1,15}) \(total: (\d{1,15})\))?/;
const fuzzing = /^fuzz: elapsed: .*now fuzzing with \d+ workers/;
const noise = /^\s*$|^fuzz: (?:elapsed|minimizing)|^warning: starting with empty corpus|^PASS$/;
const notInstrumented = /^warning: the test binary was not built with coverage instrumentation/;
/** "Failing input written to testdata/fuzz/FuzzParse/10a65938dce505e4". */
const written = /^\s*Failing input written to \S*?([^/\s]+)\s*$/;

/** What a test binary prints while it fuzzes. */
export class GoOutput extends EngineLog {
  readonly #record = new OutputRecord();
  #executions = 0;
  #interesting = 0;
  #total = 0;
  #isInstrumented = true;
  #failure: string | undefined;

  constructor() {
    super('utf8');
  }

  get executions(): number {
    return this.#executions;
  }

  get interesting(): number {
    return this.#interesting;
  }

  get total(): number {
    return this.#total;
  }

  get isInstrumented(): boolean {
    return this.#isInstrumented;
  }

  /** Name of the file with the input that failed. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** All that was printed besides progress, since the last call. */
  takeReport(): WrittenArtifact['output'] {
    return this.#record.take();
  }

  protected override read(line: string): void {
    const found = status.exec(line);
    const isFuzzing = found !== null || fuzzing.test(line);
    this.note({ isFuzzing, isDone: line === 'PASS', isOwn: line.startsWith('fuzz: ') });
    if (found) {
      this.#executions = Math.max(this.#executions, Number(found[1]));
      this.#interesting = Math.max(this.#interesting, Number(found[2] ?? 0));
      this.#total = Math.max(this.#total, Number(found[3] ?? 0));
    }
    if (notInstrumented.test(line)) this.#isInstrumented = false;
    else if (!noise.test(line)) {
      this.#failure = written.exec(line)?.[1] ?? this.#failure;
      this.#record.push(Buffer.from(`${line}\n`));
      this.keep(line);
    }
  }
}
