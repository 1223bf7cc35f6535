import { streamOf } from './shapes.js';

/** The HTTP/2 session of a call, to remember something for its connection; undefined: it is not known. */
export const sessionOf = (call: object): object | undefined => streamOf(call)?.session;
