import { createHash } from 'node:crypto';

/*
 * Names of files in a run's plain folders, as libFuzzer gives them: an input of the corpus is
 * named by its SHA-1, one that crashes by its kind and SHA-1. Engines with other names bring
 * their files in under these.
 */

/** Kinds of artifacts that are crashes; an input that is only slow is none. */
export type ArtifactKind = 'crash' | 'leak' | 'timeout' | 'oom';

export const sha1Of = (content: Buffer) => createHash('sha1').update(content).digest('hex');

export const artifactName = (kind: ArtifactKind, content: Buffer) => `${kind}-${sha1Of(content)}`;

export const isCrashName = (fileName: string) => /^(?:crash|leak|timeout|oom)-/.test(fileName);

/** An input at which the target came to its limit of memory. */
export const isOfMemory = (fileName: string) => fileName.startsWith('oom-');

/** Other names than those by SHA-1 say nothing about the content, but an empty file was cut off. */
export function isWholeArtifact(fileName: string, content: Buffer): boolean {
  const digest = /^[a-z]+-([0-9a-f]{40})$/.exec(fileName)?.[1];
  return digest === undefined ? content.length > 0 : digest === sha1Of(content);
}

export const isOwnInput = (fileName: string, content: Buffer) => fileName === sha1Of(content);
