import type { Format, Headline } from './format.js';

const missing: readonly RegExp[] = [
  /error while loading shared libraries: ([^:]{1,512}): cannot open shared object file/,
  /CANNOT LINK EXECUTABLE (?:"[^"]{1,512}")?: library "([^"]{1,512})" not found/,
  /^dyld(?:\[\d{1,10}\])?: Library not loaded: (\S{1,512})/,
];

/** The dynamic loader could not start the target: the build is at fault, no input. */
export const loader: Format = {
  name: 'loader',
  hint: /loading shared libraries|CANNOT LINK EXECUTABLE|Library not loaded/,
  headline(lines, at): Headline | undefined {
    for (const pattern of missing) {
      const library = pattern.exec(lines[at] as string)?.[1];
      if (library !== undefined)
        return { kind: 'missing-library', rank: 'cause', at, message: library, isDeliberate: true };
    }
    return undefined;
  },
};
