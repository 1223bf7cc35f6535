import type { Format, Headline } from './format.js';
import { slug } from './sanitizer.js';

const warning = /(?:WARNING|ERROR): ThreadSanitizer: (.*)$/;

/** ThreadSanitizer's reports, which have no "==PID==" and may name no address. */
export const threadSanitizer: Format = {
  name: 'thread-sanitizer',
  hint: /ThreadSanitizer: /,
  headline(lines, at): Headline | undefined {
    const text = warning.exec(lines[at] as string)?.[1]?.trim();
    if (!text) return undefined;
    const words = text.replace(/ on unknown address.*$/, '').replace(/ on vptr.*$/, ' on vptr');
    const kind = slug(words);
    if (kind === '') return undefined;
    return { kind, rank: signalNames.test(kind) ? 'signal' : 'error', at };
  },
};

const signalNames = /^(?:SEGV|ABRT|BUS|ILL|TRAP)$/;
