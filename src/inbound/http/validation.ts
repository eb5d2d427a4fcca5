import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import type { JsonSchema } from './json-schema.ts';
import { components } from './schemas/index.ts';

/**
 * Validates requests with Ajv against the JSON Schema of the zod schemas, which takes half the time of zod. Serializes
 * responses with JSON.stringify, because they are built field by field.
 *
 * Bodies are not converted. Query and path parameters are text and are converted to the type in the schema. Schemas of
 * headers are documentation only: `headers.ts` reads the headers.
 *
 * A schema is compiled at its first use, because compiling all of them takes a fifth of the time of a start.
 */
export function useValidation(app: FastifyInstance): void {
  const ajv = createAjv();
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (httpPart === 'headers') return () => true;
    let compiled: ValidateFunction | undefined;
    const validate = (value: unknown): Validation => {
      compiled ??= ajv.compile(schema as JsonSchema);
      return compiled(value) || { error: compiled.errors ?? [] };
    };
    return httpPart === 'body' ? validate : converting(schema as JsonSchema, validate);
  });
  app.setSerializerCompiler(() => JSON.stringify);
}

/** The components by name, with their names as identifiers. */
const schemas = Object.fromEntries(
  Object.entries(components).map(([name, schema]) => [name, { $id: name, ...schema }]),
);

/**
 * The schemas of an app, for the documentation. An app to which schemas are added would copy all of them for each route,
 * which takes a tenth of the time in which it is built.
 */
export const schemaBucket = {
  add(): never {
    throw new Error('schemas are added to components');
  },
  getSchema: (name: string) => schemas[name],
  getSchemas: () => ({ ...schemas }),
};

/** `true`, or the faults of a value. */
type Validation = true | { readonly error: NonNullable<ValidateFunction['errors']> };

/** The first moment in UTC that RFC 3339 cannot write. */
const endOfYears = Date.UTC(10_000, 0);

/** Creates the validator of JSON, without the components. It allows nothing that the documented schemas forbid. */
export function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    useDefaults: false,
    removeAdditional: false,
    // A test validates the schemas. Compiling the schema of schemas takes a tenth of the time of a start.
    validateSchema: false,
  });
  addFormats.default(ajv);
  // The format allows leap seconds. A Date has none, so such a time would be lost. A year in UTC has four digits in responses.
  const wide = ajv.formats['date-time'] as { validate(text: string): boolean };
  ajv.addFormat('date-time', (text) => wide.validate(text) && Date.parse(text) < endOfYears);
  return ajv;
}

/**
 * Converters that accept one spelling for each value. Ajv's own conversion follows JavaScript and accepts `0x5`, `1e1`,
 * `+5` and ` 5` as numbers. A text that is not converted fails the validation of its type.
 */
const readers: Record<string, (text: string) => unknown> = {
  integer: (text) => (/^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : text),
  boolean: (text) => (text === 'true' || text === 'false' ? text === 'true' : text),
};

/** Returns a validator of parameters that first converts them to the types in the schema. */
function converting(schema: JsonSchema, validate: (value: unknown) => Validation) {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const conversions = properties.flatMap(([name, { type }]) => {
    const read = readers[String(type)];
    return read ? [{ name, read }] : [];
  });
  return (values: Record<string, unknown>) => {
    for (const { name, read } of conversions) {
      const text = values[name];
      if (typeof text === 'string') values[name] = read(text);
    }
    return validate(values);
  };
}
