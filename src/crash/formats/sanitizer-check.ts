import type { Format, Headline } from './format.js';

const failed = /Sanitizer:? CHECK failed: (.*)$/;
const place = /^([^\s"]{1,512}):(\d{1,9}) (.*)$/;

/** A sanitizer's check of itself: "AddressSanitizer: CHECK failed: asan_thread.cpp:12 "((x)) != (0)" (0x0, 0x0)". */
export const sanitizerCheck: Format = {
  name: 'sanitizer-check',
  hint: /CHECK failed: |Sanitizer:? nested bug/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (/Sanitizer:? nested bug/.test(line)) return { kind: 'nested-bug', rank: 'leftover', at };
    const found = failed.exec(line);
    if (!found) return undefined;
    const where = place.exec(found[1] as string);
    const message = (where?.[3] ?? (found[1] as string)).replace(/ \(tid=\d{1,10}\)$/, '');
    return { kind: 'sanitizer-check-failure', rank: 'error', at, message };
  },
};
