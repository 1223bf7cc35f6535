import { InvalidArgumentError, Option } from 'commander';
import { parseWindow, type TimeWindow } from '../core/time-windows.js';
import { projectOption } from './flags.js';

/** An option that takes CPU hours. */
export const hoursOption = (flag: string, about: string): Option =>
  new Option(`${flag} <hours>`, about).argParser((text) => {
    const hours = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && hours <= 100_000_000) return hours;
    throw new InvalidArgumentError('It must be a number of hours, such as 24 or 0.5.');
  });

/** `--window`: several of them are gathered; "always" takes them all away. */
export const windowOption = (): Option =>
  new Option(
    '--window <times>',
    'run then only, as "22:00-06:00" or "mon-fri 20:00-07:30"; may be repeated; always: at any time',
  ).argParser((text: string, before: TimeWindow[] = []) => {
    if (text === 'always') return [];
    const window = parseWindow(text);
    if (window) return [...before, window];
    throw new InvalidArgumentError('It must be as "22:00-06:00" or "mon-fri 22:00-06:00".');
  });

export const policyNames = ['reproduce', 'minimise', 'merge', 'notify', 'coverage'] as const;
export type PolicyWishes = Partial<Record<(typeof policyNames)[number], 'on' | 'off' | 'default'>>;

/** `--policy`. */
export const policyOption = (): Option =>
  new Option(
    '--policy <what=way>',
    `${policyNames.join(', ')} = on, off, or default: as the master has it; may be repeated`,
  ).argParser((text: string, before: PolicyWishes = {}) => {
    const [, name, way] = /^([a-z]+)=(on|off|default)$/.exec(text) ?? [];
    if (policyNames.some((known) => known === name)) return { ...before, [name as string]: way };
    throw new InvalidArgumentError('It must be as "minimise=on" or "notify=off".');
  });

/** `--project` where a campaign is found by its name alone. */
export const ofProject = (): Option => projectOption('its project (default: any)');
