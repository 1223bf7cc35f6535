/** Options of a fuzzer, as OSS-Fuzz's NAME.options has them: an ini file. */
export interface FuzzerOptions {
  /** libFuzzer's flags, without the dash. */
  readonly flags: readonly (readonly [name: string, value: string])[];
  /** Path of the dictionary, beside the fuzzer. */
  readonly dictionary: string | undefined;
  /** Environment of the target, sanitizers' options included. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Longest file of options that is read, bytes. */
export const mostOptionsBytes = 64 * 1024;

const sanitizers: Readonly<Record<string, string>> = {
  asan: 'ASAN_OPTIONS',
  msan: 'MSAN_OPTIONS',
  ubsan: 'UBSAN_OPTIONS',
  lsan: 'LSAN_OPTIONS',
  tsan: 'TSAN_OPTIONS',
};

/**
 * Flags whose place the bot takes: where inputs are written, how many processes run, and what
 * it reads of the output.
 */
const notForBundles = new Set(['close_fd_mask', 'verbosity', 'print_final_stats']);

/**
 * Reads NAME.options. Lines that are none are passed over, as OSS-Fuzz does.
 *
 * @param isReserved whether a flag of libFuzzer is the bot's alone
 */
export function readOptions(
  bytes: Buffer,
  isReserved: (flag: string) => boolean = () => false,
): FuzzerOptions {
  const flags = new Map<string, string>();
  const environment = new Map<string, string>();
  let dictionary: string | undefined;
  for (const [section, name, value] of settingsIn(bytes)) {
    const variable = sanitizers[section];
    if (variable !== undefined) {
      const option = sanitizerOption(name, value);
      if (option === undefined) continue;
      const before = environment.get(variable);
      environment.set(variable, [...(before ? [before] : []), option].join(':'));
    } else if (section === 'env' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      environment.set(name, value);
    } else if (section === 'libfuzzer' && name === 'dict') dictionary = value;
    else if (section === 'libfuzzer' && /^\w+$/.test(name)) {
      if (!notForBundles.has(name) && !isReserved(name)) flags.set(name, value);
    }
  }
  return { flags: [...flags], dictionary, environment: Object.fromEntries(environment) };
}

/**
 * One option, quoted where its value has what ends others, as a path with a colon.
 *
 * @returns undefined for one that the sanitizer would end the target for
 */
function sanitizerOption(name: string, value: string): string | undefined {
  if (!/^\w+$/.test(name) || (value.includes('"') && value.includes("'"))) return undefined;
  const isQuoted = /^(["']).*\1$/.test(value);
  if (isQuoted || !/[\s:,"']/.test(value)) return `${name}=${value}`;
  return value.includes('"') ? `${name}='${value}'` : `${name}="${value}"`;
}

function* settingsIn(bytes: Buffer): Generator<[section: string, name: string, value: string]> {
  let section = '';
  for (const line of bytes.subarray(0, mostOptionsBytes).toString('utf8').split(/\r?\n/)) {
    const text = line.trim();
    if (text === '' || /^[#;]/.test(text)) continue;
    const heading = /^\[([^\]]*)\]$/.exec(text);
    if (heading) section = (heading[1] ?? '').trim().toLowerCase();
    const setting = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(text);
    if (!heading && setting) yield [section, setting[1] as string, setting[2] as string];
  }
}
