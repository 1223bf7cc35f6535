import type { MasterConfig } from '../config/schema.js';
import type { S3Options } from '../store/blobs.js';

/** How the settings say that S3 is reached. */
export function s3Of({
  path_style,
  timeout,
  max_retries,
  ...rest
}: MasterConfig['blobs']): S3Options {
  return { ...rest, pathStyle: path_style, timeoutMs: timeout, maxRetries: max_retries };
}
