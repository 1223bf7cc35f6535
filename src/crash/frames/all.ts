import type { FrameList } from '../description.js';
import { cFrames } from './c.js';
import { cLibraryFrames } from './c-library.js';
import { checkFrames, testFrames } from './checks.js';
import { cppFrames } from './cpp.js';
import { dotnetFrames } from './dotnet.js';
import { goFrames } from './go.js';
import { javaFrames } from './java.js';
import { javascriptFrames } from './javascript.js';
import { FrameMatcher, type Listed } from './list.js';
import { pythonFrames } from './python.js';
import { rustFrames } from './rust.js';
import { engineFrames, sanitizerFrames } from './sanitizers.js';

const native = [
  cFrames,
  cLibraryFrames,
  sanitizerFrames,
  cppFrames,
  checkFrames,
  testFrames,
  engineFrames,
];

/** Lists by language; native code of all kinds meets in one process. */
const lists: Readonly<Record<string, readonly FrameList[]>> = {
  go: [goFrames, ...native],
  rust: [rustFrames, ...native],
  python: [...pythonFrames],
  java: [javaFrames],
  javascript: [javascriptFrames],
  dotnet: [dotnetFrames],
};

const matchers = new Map<string, readonly FrameMatcher[]>();
const engine = new FrameMatcher(engineFrames);
const checks = new FrameMatcher(checkFrames);

/** Whether a frame belongs to a runtime, a library, a check's helper or a framework. */
export function isListed(frame: Listed, language: string, project?: FrameMatcher): boolean {
  if (project?.matches(frame)) return true;
  return matchersOf(language).some((matcher) => matcher.matches(frame));
}

/** Whether a frame is a helper of failed checks that the lists know. */
export const isCheck = (frame: Listed): boolean => checks.matches(frame);

export const isEngine = (frame: Listed): boolean => engine.matches(frame);

function matchersOf(language: string): readonly FrameMatcher[] {
  let found = matchers.get(language);
  if (!found) {
    found = (lists[language] ?? native).map((list) => new FrameMatcher(list));
    matchers.set(language, found);
  }
  return found;
}
