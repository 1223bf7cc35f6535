import { InvalidArgumentError, Option } from 'commander';
import { projectOption } from './flags.js';

/** An option that takes CPU hours. */
export const hoursOption = (flag: string, about: string): Option =>
  new Option(`${flag} <hours>`, about).argParser((text) => {
    const hours = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && hours <= 100_000_000) return hours;
    throw new InvalidArgumentError('It must be a number of hours, such as 24 or 0.5.');
  });

/** `--project` where a campaign is found by its name alone. */
export const ofProject = (): Option => projectOption('its project (default: any)');
