import { ValidationError } from '../../core/errors.js';
import { isId, isSha256 } from '../../core/ids.js';

/** Collects all faults of a request, to report them at once. */
export class Violations {
  readonly #found: { path: string; problem: string }[] = [];

  /** Notes `problem` at `path` unless `fine`. */
  expect(fine: boolean, path: string, problem: string): this {
    if (!fine) this.#found.push({ path, problem });
    return this;
  }

  id(value: string, path: string): this {
    return this.expect(isId(value), path, 'must be a UUID in lower case');
  }

  sha256(value: string, path: string): this {
    return this.expect(isSha256(value), path, 'must be a SHA-256: 64 lower-case hex digits');
  }

  /** Expects a single line: no control characters, well-formed, within bounds. */
  text(value: string, path: string, bounds: { min?: number; max: number }): this {
    const fine =
      value.length >= (bounds.min ?? 0) && value.length <= bounds.max && isPrintable(value);
    const range = `${bounds.min ?? 0} to ${bounds.max}`;
    return this.expect(fine, path, `must be ${range} characters without control characters`);
  }

  whole(value: number, path: string, bounds: { min: number; max: number }): this {
    const fine = Number.isSafeInteger(value) && value >= bounds.min && value <= bounds.max;
    return this.expect(fine, path, `must be a whole number from ${bounds.min} to ${bounds.max}`);
  }

  /** @throws ValidationError if anything was noted */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new ValidationError({ violations: this.#found });
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

const isPrintable = (text: string) => !control.test(text) && text.isWellFormed();
