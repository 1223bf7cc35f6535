/** The whole terminal for a picture that changes: given back however the process ends. */

const enter = '\u001b[?1049h\u001b[?25l\u001b[2J';
const leave = '\u001b[?25h\u001b[?1049l';
const suspend = '\u001a';
/** Before the last character of keys that have a name of several. */
const arrow = '\u001b[';

export class Live {
  #lines: readonly string[] = [];
  #isOn = false;
  readonly #onKey = (bytes: Buffer) => {
    for (const key of keysIn(bytes.toString('latin1'))) this.#key(key);
  };
  readonly #onResize = () => this.#resized();
  readonly #onContinue = () => this.#resumed();
  readonly #onExit = () => this.#off();

  /** @param pressed is called for each key, and when the picture is to be drawn anew (an empty one) */
  constructor(private readonly pressed: (key: string) => void) {}

  get size(): { columns: number; rows: number } {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  /** Idempotent. */
  begin(): void {
    if (this.#isOn) return;
    this.#on();
    process.stdin.on('data', this.#onKey);
    process.stdout.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
    process.on('exit', this.#onExit);
  }

  end(): void {
    process.stdin.off('data', this.#onKey);
    process.stdout.off('resize', this.#onResize);
    process.off('SIGCONT', this.#onContinue);
    process.off('exit', this.#onExit);
    this.#off();
    process.stdin.pause();
  }

  /** Writes the lines that have changed. */
  show(lines: readonly string[]): void {
    if (!this.#isOn) return;
    const { rows } = this.size;
    let text = '';
    for (let at = 0; at < Math.min(rows, Math.max(lines.length, this.#lines.length)); at++) {
      const line = lines[at] ?? '';
      if (this.#lines[at] !== line) text += `\u001b[${at + 1};1H${line}\u001b[K`;
    }
    this.#lines = lines.slice(0, rows);
    if (text !== '') process.stdout.write(text);
  }

  #on(): void {
    this.#isOn = true;
    this.#lines = [];
    process.stdin.setRawMode(true);
    process.stdin.resume();
    process.stdout.write(enter);
  }

  #off(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    process.stdin.setRawMode(false);
    process.stdout.write(leave);
  }

  #key(key: string): void {
    if (key !== suspend) {
      this.pressed(key);
      return;
    }
    this.#off();
    process.kill(process.pid, 'SIGSTOP');
  }

  #resumed(): void {
    if (!this.#isOn) this.#on();
    this.pressed('');
  }

  #resized(): void {
    this.#lines = [];
    process.stdout.write('\u001b[2J');
    this.pressed('');
  }
}

/** Keys that came together, each by itself. */
function* keysIn(text: string): Iterable<string> {
  for (let at = 0; at < text.length; ) {
    const length = text.startsWith(arrow, at) ? arrow.length + 1 : 1;
    yield text.slice(at, at + length);
    at += length;
  }
}
