import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';

const { resolve } = createRequire(import.meta.url);
const json = (name: string) => JSON.parse(readFileSync(resolve(name), 'utf8'));

const ajv = new Ajv({ allErrors: true, schemaId: 'auto' });
ajv.addMetaSchema(json('ajv/lib/refs/json-schema-draft-04.json'));
const validate = ajv.compile(json('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'));

/** What the official schema of SARIF 2.1.0 finds wrong, each with its place. */
export function sarifErrors(log: unknown): string[] {
  if (validate(log)) return [];
  return (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message}`);
}
