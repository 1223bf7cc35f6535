import type { Logger } from '../../core/log.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';

/** Logs that a bot has become unwell, or well again. */
export function reportHealth({ problem: why }: BotHealth, about: object, log: Logger): void {
  if (why) log.warn({ ...about, why }, 'bot unwell');
  else log.info(about, 'bot well again');
}
