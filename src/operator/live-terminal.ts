/** Whether what stands on this stream can be drawn anew. A terminal of TERM=dumb only appends. */
export const isLiveTerminal = (stream: { readonly isTTY?: boolean }): boolean =>
  stream.isTTY === true && process.env['TERM'] !== 'dumb';
