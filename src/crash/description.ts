/** One call of the stack that crashed. */
export interface CrashFrame {
  /**
   * Name without arguments and template arguments, or "module+0xoffset"; never a path.
   * '' for a debugger's frame without either, which its offset names.
   */
  readonly function: string;
  /** Path as the report has it; '' where it has none. */
  readonly file: string;
  /** From 1; 0 where the report has none. */
  readonly line: number;
  /** Base name of the program or library; '' where the report has none. */
  readonly module: string;
  /** Offset in the module, e.g. "0x4a"; '' where the report has none. */
  readonly offset: string;
  /** False for frames of runtimes, allocators, check helpers and the like. */
  readonly isOwn: boolean;
}

/** Whether a crash matters for security, and the reason in a few words. */
export interface Security {
  readonly matters: boolean;
  readonly why: string;
}

/** What a report says of a crash, as far as it can be read. */
export interface CrashDescription {
  /** As the tool calls it ("heap-buffer-overflow", "SEGV", "timeout"), or a slug of ours. */
  readonly kind: string;
  /** Text of the check, panic or exception, without numbers and addresses; '' if none. */
  readonly message: string;
  readonly access?: 'read' | 'write';
  readonly accessSizeBytes?: number;
  /** Where a bad access went: close to 0, or anywhere else that is not mapped. */
  readonly address?: 'near-null' | 'wild';
  readonly security: Security;
  /** 'c' stands for C and C++; 'unknown' where the report does not show it. */
  readonly language: string;
  /** Name of the file in formats/ that read the headline; 'unknown' if none did. */
  readonly format: string;
  /** The target's own frames, inside out; at most 64. */
  readonly frames: readonly CrashFrame[];
  /** The whole crashing stack; at most 128. */
  readonly stack: readonly CrashFrame[];
  /** Of a data race: own frames of the access on the other side. */
  readonly otherFrames?: readonly CrashFrame[];
  /** Function of the innermost own frame that has one, or 'unknown'. */
  readonly topFrame: string;
  /** Whether anything could be read: a kind, a message or a frame. */
  readonly isKnown: boolean;
}

/**
 * Frames that are not the target's own: the known ones are such lists, and a
 * project adds its own.
 */
export interface FrameList {
  /** Names of functions; "ns::*" is everything that begins with "ns::". */
  readonly functions?: readonly string[];
  /** Names that count only where the report has no source file: "read", "error". */
  readonly bareFunctions?: readonly string[];
  /** Parts of source paths, e.g. "/third_party/logging/". */
  readonly files?: readonly string[];
  /** Parts of source paths that count for names without a namespace only. */
  readonly inlinedFiles?: readonly string[];
  /** Parts of source paths that stay the target's own though `files` has them. */
  readonly exceptFiles?: readonly string[];
  /** Beginnings of base names of modules, e.g. "libmylog.so". */
  readonly modules?: readonly string[];
}
