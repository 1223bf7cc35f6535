import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  type DescMethod,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';

let contract: FileRegistry | undefined;
let details: FileRegistry | undefined;

/** The contract by its descriptors. Read at the first call that needs it: that takes 30 ms. */
const ofContract = (): FileRegistry => (contract ??= read('pandafuzz'));

/** google.rpc's details of errors. */
export const ofDetails = (): FileRegistry => (details ??= read('errors'));

function read(name: string): FileRegistry {
  const file = new URL(`../../gen/descriptors/${name}.binpb`, import.meta.url);
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
}

/** @param path "/package.Service/Method" */
export function methodOf(path: string): { method: DescMethod; registry: FileRegistry } {
  const [, service = '', name] = path.split('/');
  const registry = ofContract();
  const method = registry.getService(service)?.methods.find((one) => one.name === name);
  if (!method) throw new Error(`the descriptors lack ${path}`);
  return { method, registry };
}

/** Whether the contract says so: such a method may be called by GET. */
export const hasNoSideEffects = (path: string): boolean =>
  methodOf(path).method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
