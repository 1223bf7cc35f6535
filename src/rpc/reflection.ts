import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** The compiler's descriptors with their comments; the build writes them. */
const sets = ['pandafuzz', 'health', 'errors'].map(
  (name) => new URL(`../gen/descriptors/${name}.binpb`, import.meta.url),
);

/**
 * Server reflection, v1 and v1alpha, for grpcurl and its like.
 *
 * proto-loader's own copies of the descriptors lose their imports, so that a client finds
 * no google.protobuf.Timestamp (grpc-node issues 2958 and 3018). The compiler's originals
 * replace them.
 */
export function addReflection(server: Server): void {
  const definition: PackageDefinition = {};
  for (const set of sets) Object.assign(definition, load(readFileSync(set)));
  new ReflectionService(definition).addToServer(server);
}

/** One part of the definition has the files with their comments: the service reads those of every part. */
function load(set: Buffer): PackageDefinition {
  const { file: files, ...rest } = fromBinary(FileDescriptorSetSchema, set);
  const uncommented = {
    ...rest,
    file: files.map((one) => ({ ...one, sourceCodeInfo: undefined })),
  };
  const definition = loadFileDescriptorSetFromBuffer(
    Buffer.from(toBinary(FileDescriptorSetSchema, uncommented)),
  );
  let fileDescriptorProtos = files.map((one) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, one)),
  );
  for (const part of Object.values(definition)) {
    Object.assign(part, { fileDescriptorProtos });
    fileDescriptorProtos = [];
  }
  return definition;
}
