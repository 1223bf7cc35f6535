import { type EngineProgress, noProgress } from '../engine.js';
import { PrintedLines } from '../printed-lines.js';

/** Crashes whose files have not been found yet. */
const mostAnnounced = 1000;

const mark = 'pandafuzz: ';
const figure = /\b(executions|loaded|coverage|features|memory_bytes)=(\d{1,15})\b/g;

/** What lines of an engine are about, besides figures. */
export interface LineEvents {
  /** The engine has written a crash; all that was printed before, since the last one, is its report. */
  crash(fileName: string): void;
}

/**
 * Reads what an engine of the command convention prints. Lines that begin with "pandafuzz: "
 * are for the bot, all others are for people.
 */
export class CommandLines extends PrintedLines {
  #progress: EngineProgress = noProgress;
  #refusal: string | undefined;

  constructor(private readonly events: LineEvents) {
    super('utf8');
  }

  get progress(): EngineProgress {
    return this.#progress;
  }

  /** Why it cannot do what the job wants, in its own words. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  protected override read(printed: string): void {
    const line = printed.trimEnd();
    if (!line.startsWith(mark)) {
      if (line !== '') this.keep(line);
      return;
    }
    const text = line.slice(mark.length);
    const [, crash] = /^crash ([^/]{1,255})$/.exec(text) ?? [];
    const [, refusal] = /^refused (.{1,1000})/.exec(text) ?? [];
    if (crash !== undefined) this.events.crash(crash);
    else if (refusal !== undefined) this.#refusal ??= refusal;
    else this.#count(text);
  }

  /** Figures only grow. */
  #count(text: string): void {
    const values = new Map<string, number>();
    for (const [, name = '', value] of text.matchAll(figure)) values.set(name, Number(value));
    if (values.size === 0) return;
    const now = this.#progress;
    const of = (name: string, before: number) => Math.max(before, values.get(name) ?? 0);
    const executions = of('executions', now.executions);
    this.#progress = {
      ...now,
      executions,
      loaded: of('loaded', now.loaded ?? 0),
      coverage: of('coverage', now.coverage),
      features: of('features', now.features),
      peakMemoryBytes: of('memory_bytes', now.peakMemoryBytes),
      isFuzzing: now.isFuzzing || executions > 0,
      isSilent: false,
    };
  }
}

/** Names of crashes that were announced, each with its report, until their files are found. */
export class Announced<Report> {
  readonly #reports = new Map<string, Report>();

  add(name: string, report: Report): void {
    if (this.#reports.size < mostAnnounced) this.#reports.set(name, report);
  }

  has(name: string): boolean {
    return this.#reports.has(name);
  }

  take(name: string): Report | undefined {
    const report = this.#reports.get(name);
    this.#reports.delete(name);
    return report;
  }
}
