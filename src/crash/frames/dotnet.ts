import type { FrameList } from '../description.js';

/** .NET's class library, SharpFuzz and test runners. */
export const dotnetFrames: FrameList = {
  functions: [
    'System.*',
    'Microsoft.*',
    'Interop.*',
    'Internal.*',
    'SharpFuzz.*',
    'Xunit.*',
    'NUnit.*',
    'Newtonsoft.Json.Utilities.*',
    'FluentAssertions.*',
    'lambda_method*',
  ],
};
