import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status as Code } from '@grpc/grpc-js';

/** Every method of the contract, by its descriptors: a new one cannot be forgotten. */
export interface Method {
  /** As in "JobService/ListJobs". */
  readonly name: string;
  readonly path: string;
  /** What the proto says of it. */
  readonly comment: string;
  /** The statuses that its comment and that of the package name, and OK. */
  readonly documented: ReadonlySet<Code>;
}

const descriptors = new URL('../../src/gen/descriptors/pandafuzz.binpb', import.meta.url);

export function everyMethod(): Method[] {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(descriptors));
  return set.file
    .filter((file) => file.package === 'pandafuzz.v1')
    .flatMap((file) =>
      file.service.flatMap((service, serviceIndex) =>
        service.method.map((method, methodIndex): Method => {
          const comment = commentAt(file, [6, serviceIndex, 2, methodIndex]);
          return {
            name: `${service.name}/${method.name}`,
            path: `/${file.package}.${service.name}/${method.name}`,
            comment,
            documented: statusesIn(comment),
          };
        }),
      ),
    );
}

/** Leading comment of what lies at this path (see SourceCodeInfo in descriptor.proto). */
function commentAt(file: FileDescriptorProto, path: readonly number[]): string {
  const location = file.sourceCodeInfo?.location.find((one) => `${one.path}` === `${path}`);
  return location?.leadingComments ?? '';
}

/** What any call may end with, whatever it asks for (docs/architecture.md). */
const always = [
  Code.OK,
  Code.INVALID_ARGUMENT,
  Code.DEADLINE_EXCEEDED,
  Code.RESOURCE_EXHAUSTED,
  Code.UNAVAILABLE,
  Code.CANCELLED,
];

function statusesIn(comment: string): ReadonlySet<Code> {
  const named = Object.entries(Code).flatMap(([name, code]) =>
    typeof code === 'number' && new RegExp(`\\b${name}\\b`).test(comment) ? [code] : [],
  );
  return new Set([...always, ...named]);
}
