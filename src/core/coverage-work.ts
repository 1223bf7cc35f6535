/**
 * The name under which a bot announces, beside its engines, that it can make reports of source
 * coverage: it has llvm-profdata and llvm-cov. Bots that do not know such jobs never announce it.
 */
export const coverageWork = 'coverage';

/** The engine of jobs that make such a report: their target runs each file that it is given. */
export const coverageEngine = 'libfuzzer';
