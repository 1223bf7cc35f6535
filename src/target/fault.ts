/**
 * A target, bundle, dictionary or archive of seeds that is of no use on any machine: its
 * author has to mend it. The message says what is wrong, and what to do.
 */
export class TargetFault extends Error {
  override readonly name = 'TargetFault';
}
