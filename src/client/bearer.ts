import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';

/**
 * Sends a token with each call. Not by grpc-js's call credentials, which go over TLS only:
 * on loopback, and where the master allows it, there is none.
 */
export const bearer =
  (token: () => string | undefined): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        const text = token();
        if (text !== undefined) metadata.set('authorization', `Bearer ${text}`);
        next(metadata, listener);
      },
    });
