import { z } from 'zod';
import { isolationWishes } from '../core/isolation.js';
import { logFormats, logLevels } from '../core/log.js';
import { readUserRange } from '../core/user-range.js';
import type { Settings } from './settings.js';
import { addresses, duration, size } from './units.js';

/**
 * Every setting of a bot with its default. bot.yaml lists the same keys with the same
 * defaults and one comment each, and each has an option of `pandafuzz bot`; tests compare
 * them. Durations are read into milliseconds.
 */
const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` });

/** A name of the contract; '.' and '..' would be other folders. */
const nameRule = "must be 1 to 128 letters, digits, '.', '_' or '-'";
export const botName = z
  .string({ error: nameRule })
  .refine((text) => /^[A-Za-z0-9._-]{1,128}$/.test(text) && !/^\.+$/.test(text), nameRule);

const slotsRule = 'must be a whole number from 1 to 1024';
export const slots = z.int({ error: slotsRule }).min(1, slotsRule).max(1024, slotsRule);

const labelRule = 'must be a text of at most 256 characters';
const labels = z
  .record(z.string().regex(/^[^=]{1,63}$/s), z.string({ error: labelRule }).max(256, labelRule), {
    error:
      "must be a map of labels, such as {zone: eu}, with keys of 1 to 63 characters without '='",
  })
  .refine((map) => Object.keys(map).length <= 64, 'must be at most 64 labels');

const userRangeRule = 'must be FIRST-LAST, such as "70000-70999", without root';

export const corpusInterval = duration({ min: '1s', max: '24h' });

const keys = z.strictObject({
  master: addresses.prefault('127.0.0.1:50051'),
  token_file: z.string({ error: 'must be a file' }).default(''),
  /** A file, or "public"; empty: no TLS. */
  ca: z.string({ error: 'must be a file' }).default(''),
  cert: z.string({ error: 'must be a file' }).default(''),
  key: z.string({ error: 'must be a file' }).default(''),
  /** Empty: the machine's name. */
  name: z
    .string({ error: nameRule })
    .refine((text) => text === '' || botName.safeParse(text).success, nameRule)
    .default(''),
  /** Empty: ./data/bots/NAME. */
  work_dir: z.string({ error: 'must be a folder' }).default(''),
  /** 0: one for each core. */
  slots: z
    .int({ error: 'must be a whole number from 0 to 1024' })
    .min(0, 'must be a whole number from 0 to 1024')
    .max(1024, 'must be a whole number from 0 to 1024')
    .default(0),
  labels: labels.prefault({}),
  corpus: oneOf(['on', 'off']).default('on'),
  corpus_interval: corpusInterval.prefault('1m'),
  sync: oneOf(['normal', 'fast']).default('normal'),
  corpus_cache: size({ min: '0B', max: '1024TiB' }).prefault('4GiB'),
  isolation: oneOf(isolationWishes).default('auto'),
  /** FIRST-LAST; empty: a range of the bot's choice. */
  run_users: z
    .string({ error: userRangeRule })
    .refine((text) => text === '' || readUserRange(text) !== undefined, userRangeRule)
    .default(''),
  readable: z
    .array(z.string({ error: 'must be a path' }), { error: 'must be a list of paths' })
    .prefault([]),
  log_level: oneOf(logLevels).default('info'),
  log_format: oneOf(logFormats).default('auto'),
});

export type BotConfig = z.output<typeof keys>;

export const botSettings: Settings<BotConfig> = {
  keys,
  schema: keys,
  prefix: 'PANDAFUZZ_BOT_',
  aliases: {
    PANDAFUZZ_MASTER: ['master'],
    PANDAFUZZ_CA: ['ca'],
    PANDAFUZZ_CERT: ['cert'],
    PANDAFUZZ_KEY: ['key'],
    PANDAFUZZ_ISOLATION: ['isolation'],
    PANDAFUZZ_TOKEN_FILE: ['token_file'],
  },
  isForOthers: () => false,
  listedIn: 'bot.yaml',
};
