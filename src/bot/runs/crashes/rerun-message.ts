/** What came of one input. */
export interface InputTries {
  /** Runs that the job asks for. */
  readonly wanted: number;
  readonly runs: number;
  /** Runs that crashed in any way. */
  readonly crashed: number;
  /** Runs that crashed into the crash's own group. */
  readonly own: number;
}

/**
 * What came of a job's inputs, for people.
 *
 * @param inputs of the job, with those that it had no time for
 */
export function describeTries(done: readonly InputTries[], inputs: number): string {
  const [only] = done;
  const all = only && inputs === 1 ? describeOne(only) : describeAll(done);
  const left = inputs - done.length;
  return left === 0 ? all : `${all}; out of time: ${left} of ${inputs} inputs were not tried`;
}

function describeOne({ wanted, runs, crashed, own }: InputTries): string {
  const isShort = runs < wanted ? `, out of time before the other ${wanted - runs}` : '';
  if (crashed === 0) return `did not crash in ${runs} run${runs === 1 ? '' : 's'}${isShort}`;
  if (own === 0) return `crashed ${crashed} of ${runs}, but in another way${isShort}`;
  const others = crashed > own ? `; ${crashed - own} more in another way` : '';
  return `crashed ${own} of ${runs}${own < runs ? ': flaky' : ''}${others}${isShort}`;
}

function describeAll(done: readonly InputTries[]): string {
  const count = (is: (tries: InputTries) => boolean) => done.filter(is).length;
  const own = count((tries) => tries.own > 0);
  const flaky = count((tries) => tries.own > 0 && tries.own < tries.runs);
  const others = count((tries) => tries.own === 0 && tries.crashed > 0);
  return [
    `${own} of ${done.length} reproducers crash`,
    ...(flaky > 0 ? [`${flaky} of them not each time: flaky`] : []),
    ...(others > 0 ? [`${others} more crash${others === 1 ? 'es' : ''} in another way`] : []),
  ].join('; ');
}
