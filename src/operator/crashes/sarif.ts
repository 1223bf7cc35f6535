import { relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Location, Log, ReportingDescriptor, Result, StackFrame as SarifFrame } from 'sarif';
import { inputFile, replayLine } from '../../core/replay.js';
import { version } from '../../core/version.js';
import {
  type CrashGroup,
  CrashGroupStatus,
  type StackFrame,
} from '../../gen/pandafuzz/v1/crash.js';
import { groupStatus } from '../words.js';
import { accessOf, titleOf } from './describe.js';
import type { Dossier } from './dossier.js';

/** SARIF 2.1.0: a rule for each kind of crash, a result for each group. */

const schema = 'https://json.schemastore.org/sarif-2.1.0.json';
const sourceRootId = 'SRCROOT';

export interface SarifOptions {
  /** Folder that the sources were built in: files in it are named relative to it. */
  readonly sourceRoot?: string | undefined;
}

export function sarifLog(results: readonly Result[], { sourceRoot }: SarifOptions = {}): Log {
  const kinds = [...new Set(results.map(({ ruleId }) => ruleId ?? ''))];
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'PandaFuzz', version, rules: kinds.map(rule) } },
        columnKind: 'utf16CodeUnits',
        ...(sourceRoot !== undefined && {
          originalUriBaseIds: { [sourceRootId]: { uri: `${pathToFileURL(sourceRoot)}/` } },
        }),
        results: results.map((one) => ({ ...one, ruleIndex: kinds.indexOf(one.ruleId ?? '') })),
      },
    ],
  };
}

const rule = (kind: string): ReportingDescriptor => ({
  id: kind,
  shortDescription: { text: `The target crashed: ${kind}` },
});

export function sarifResult({ group, crash }: Dossier, options: SarifOptions = {}): Result {
  const [first] = group.frames;
  const access = accessOf(crash);
  const text = [titleOf(group), group.message, access].filter((part) => part !== '').join('; ');
  return {
    ruleId: group.kind,
    level: group.security ? 'error' : 'warning',
    message: { text },
    locations: first ? [location(first, options)] : [],
    ...(crash.stack.length > 0 && {
      stacks: [
        {
          message: { text: 'the crashing stack' },
          frames: crash.stack.map((frame) => stackFrame(frame, options)),
        },
      ],
    }),
    fingerprints: { 'pandafuzz.group/v1': group.id },
    occurrenceCount: Math.max(1, group.crashHits),
    provenance: {
      ...(group.firstFoundAt && { firstDetectionTimeUtc: group.firstFoundAt.toISOString() }),
      ...(group.lastFoundAt && { lastDetectionTimeUtc: group.lastFoundAt.toISOString() }),
    },
    suppressions: suppressions(group),
    properties: {
      project: group.project,
      target: group.targetName,
      status: groupStatus(group),
      security: group.security,
      securityWhy: crash.securityWhy,
      access,
      crashHits: group.crashHits,
      crashInputsKept: group.crashInputsKept,
      crashId: crash.id,
      inputSha256: crash.inputSha256,
      targetSha256: crash.context?.targetSha256 ?? '',
      reproduce: replayLine(crash, inputFile),
    },
  };
}

/** Nobody has to act on what people decided to leave as it is. */
function suppressions({ status, note }: CrashGroup): NonNullable<Result['suppressions']> {
  const isLeft = status === CrashGroupStatus.WONT_FIX || status === CrashGroupStatus.IGNORED;
  if (!isLeft) return [];
  return [{ kind: 'external', status: 'accepted', ...(note !== '' && { justification: note }) }];
}

function stackFrame(frame: StackFrame, options: SarifOptions): SarifFrame {
  return {
    location: location(frame, options),
    ...(frame.module !== '' && { module: frame.module }),
  };
}

function location(frame: StackFrame, { sourceRoot }: SarifOptions): Location {
  const { function: name, file, line, module } = frame;
  const logical = name || module;
  return {
    ...(file !== '' && {
      physicalLocation: {
        artifactLocation: artifact(file, sourceRoot),
        ...(line > 0 && { region: { startLine: line } }),
      },
    }),
    ...(logical !== '' && {
      logicalLocations: [{ fullyQualifiedName: logical, kind: 'function' }],
    }),
  };
}

function artifact(
  file: string,
  sourceRoot: string | undefined,
): { uri: string; uriBaseId?: string } {
  if (!file.startsWith('/')) return { uri: encoded(file) };
  const inRoot = sourceRoot === undefined ? '..' : relative(sourceRoot, file);
  if (inRoot === '..' || inRoot.startsWith(`..${sep}`)) return { uri: `file://${encoded(file)}` };
  return { uri: encoded(inRoot), uriBaseId: sourceRootId };
}

/** As a reference of RFC 3986: a path of Windows has slashes then. */
const encoded = (path: string): string =>
  path.replaceAll('\\', '/').toWellFormed().split('/').map(encodeURIComponent).join('/');
