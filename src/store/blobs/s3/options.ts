/** Where blobs are in S3, and how it is reached: the settings `blobs` of master.yaml. */
export interface S3Options {
  /** s3://bucket/prefix */
  readonly url: string;
  /** Of a server that is not Amazon's; empty: Amazon's of the region. */
  readonly endpoint: string;
  /** Empty: that of the environment or of ~/.aws/config, or us-east-1 beside an endpoint. */
  readonly region: string;
  /** auto: the bucket is in the path where there is an endpoint, else in the host. */
  readonly pathStyle: 'auto' | 'on' | 'off';
  /** Longest time of one request beside its bytes, and without a byte of a download. */
  readonly timeoutMs: number;
  /** Tries after the first. */
  readonly maxRetries: number;
}

/** "s3://bucket/a/b/" as bucket "bucket" and prefix "a/b/"; the prefix is empty, or ends with "/". */
export function bucketOf(url: string): { bucket: string; prefix: string } {
  const [bucket = '', ...rest] = url.replace(/^s3:\/\//, '').split('/');
  const path = rest.filter((part) => part !== '').join('/');
  return { bucket, prefix: path === '' ? '' : `${path}/` };
}
