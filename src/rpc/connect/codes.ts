import { status as Code } from '@grpc/grpc-js';

/** How Connect calls the codes of gRPC, and the status of HTTP that goes with each. */
const rows: Readonly<Record<Exclude<Code, Code.OK>, readonly [name: string, http: number]>> = {
  [Code.CANCELLED]: ['canceled', 499],
  [Code.UNKNOWN]: ['unknown', 500],
  [Code.INVALID_ARGUMENT]: ['invalid_argument', 400],
  [Code.DEADLINE_EXCEEDED]: ['deadline_exceeded', 504],
  [Code.NOT_FOUND]: ['not_found', 404],
  [Code.ALREADY_EXISTS]: ['already_exists', 409],
  [Code.PERMISSION_DENIED]: ['permission_denied', 403],
  [Code.RESOURCE_EXHAUSTED]: ['resource_exhausted', 429],
  [Code.FAILED_PRECONDITION]: ['failed_precondition', 400],
  [Code.ABORTED]: ['aborted', 409],
  [Code.OUT_OF_RANGE]: ['out_of_range', 400],
  [Code.UNIMPLEMENTED]: ['unimplemented', 501],
  [Code.INTERNAL]: ['internal', 500],
  [Code.UNAVAILABLE]: ['unavailable', 503],
  [Code.DATA_LOSS]: ['data_loss', 500],
  [Code.UNAUTHENTICATED]: ['unauthenticated', 401],
};

const rowOf = (code: Code) => rows[code === Code.OK ? Code.UNKNOWN : code];

export const nameOf = (code: Code): string => rowOf(code)[0];
export const httpStatusOf = (code: Code): number => rowOf(code)[1];
