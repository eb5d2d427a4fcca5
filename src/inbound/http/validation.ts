import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import type { JsonSchema } from './json-schema.ts';
import { components } from './schemas.ts';

/**
 * Validates requests with Ajv on the JSON Schema made from zod, which takes half the time of running zod itself, and
 * serializes answers with JSON.stringify: they are built field by field already.
 *
 * Bodies are taken as they are; only query and path, which are text by nature, are converted. Headers are only
 * documented by their schemas: `headers.ts` reads them and knows which to refuse and which to ignore.
 */
export function useValidation(app: FastifyInstance): void {
  const strict = createAjv(false);
  const converting = createAjv(true);
  for (const [name, schema] of Object.entries(components)) app.addSchema({ $id: name, ...schema });
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (httpPart === 'headers') return () => true;
    return (httpPart === 'body' ? strict : converting).compile(schema as JsonSchema);
  });
  app.setSerializerCompiler(() => JSON.stringify);
}

function createAjv(coerceTypes: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    coerceTypes,
    useDefaults: false,
    removeAdditional: false,
  });
  addFormats.default(ajv);
  for (const [name, schema] of Object.entries(components)) ajv.addSchema({ $id: name, ...schema });
  return ajv;
}
