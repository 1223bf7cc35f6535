import { abortMessage, criticalLine, fatalLine } from './abort-message.js';
import { assertion } from './assertion.js';
import { behaviorSanitizer } from './behavior-sanitizer.js';
import { chromium, glog, plainCheck, v8 } from './checks.js';
import { appleReport, minidump } from './crash-reporters.js';
import { android, gdb, kernel, valgrind } from './debuggers.js';
import { dotnet } from './dotnet.js';
import { afl, centipede, honggfuzz } from './engines.js';
import type { Format } from './format.js';
import { go } from './go.js';
import { java } from './java.js';
import { javascript } from './javascript.js';
import { libfuzzer } from './libfuzzer.js';
import { loader } from './loader.js';
import { python } from './python.js';
import { rust } from './rust.js';
import { sanitizer } from './sanitizer.js';
import { sanitizerCheck } from './sanitizer-check.js';
import { glib, googleTest, goTest } from './test-frameworks.js';
import { threadSanitizer } from './thread-sanitizer.js';
import { undefinedBehavior } from './undefined-behavior.js';
import { cdb } from './windows-debugger.js';

/** The first format that reads a line as its headline has it. */
export const formats: readonly Format[] = [
  threadSanitizer,
  sanitizer,
  sanitizerCheck,
  behaviorSanitizer,
  libfuzzer,
  undefinedBehavior,
  rust,
  go,
  python,
  java,
  dotnet,
  javascript,
  glog,
  chromium,
  v8,
  plainCheck,
  glib,
  assertion,
  abortMessage,
  googleTest,
  goTest,
  valgrind,
  gdb,
  honggfuzz,
  centipede,
  loader,
  appleReport,
  minidump,
  android,
  kernel,
  cdb,
  afl,
  criticalLine,
  fatalLine,
];
