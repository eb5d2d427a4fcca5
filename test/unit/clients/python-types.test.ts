import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { textOf } from '../../../scripts/language/source-files.ts';
import { pythonErrors } from '../../../scripts/python-errors.ts';
import { hasPython, runPython } from '../../support/python-client.ts';

interface Schema {
  readonly type?: string | string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
}

const { components, paths } = parse(textOf('openapi.yaml'));
const schemas: Readonly<Record<string, Schema>> = components.schemas;

const isNullable = ({ type, anyOf }: Schema): boolean =>
  type === 'null' || (Array.isArray(type) && type.includes('null')) || (anyOf ?? []).some(isNullable);

/** Returns the fields of a schema, and whether each may be absent or null. */
function fieldsOf({ properties = {}, required = [] }: Schema): Record<string, boolean> {
  const fields = Object.entries(properties).filter(([name]) => /^\w+$/.test(name));
  return Object.fromEntries(
    fields.map(([name, schema]) => [name, isNullable(schema) || !required.includes(name)]),
  );
}

/** Returns the fields of all shapes of an event. */
function eventFields(): Record<string, boolean> {
  const shapes = Object.entries(schemas).filter(([name]) => /^Image\w+Event$/.test(name));
  const required = shapes.map(([, schema]) => new Set(schema.required));
  return Object.fromEntries(
    shapes.flatMap(([, schema]) =>
      Object.entries(schema.properties ?? {}).map(([name, field]) => [
        name,
        isNullable(field) || required.some((names) => !names.has(name)),
      ]),
    ),
  );
}

interface Parameter {
  readonly $ref?: string;
  readonly in: string;
  readonly name: string;
}

interface PythonTypes {
  readonly classes: Readonly<Record<string, Record<string, boolean>>>;
  readonly dicts: Readonly<Record<string, string[]>>;
  readonly literals: Readonly<Record<string, string[]>>;
}

describe.skipIf(!hasPython)('types of the Python client', () => {
  it('every dataclass has the fields of its schema, and allows None where the schema allows it', async () => {
    const { classes } = await pythonTypes();
    expect(Object.keys(classes)).toEqual(expect.arrayContaining(['ImageJob', 'ImageEvent', 'Problem']));
    for (const [name, fields] of Object.entries(classes)) {
      const documented = name === 'ImageEvent' ? eventFields() : fieldsOf(schemas[name] ?? {});
      expect({ name, fields }).toEqual({ name, fields: documented });
    }
  });

  it('requests and filters have the fields of the document', async () => {
    const { dicts } = await pythonTypes();
    const { images, mask, markup, prompt, ...options } = schemas.ImageRequest?.properties ?? {};
    expect(dicts.GenerateOptions).toEqual(Object.keys(options).sort());
    expect(dicts.AcceptedRequest).toEqual(Object.keys(schemas.AcceptedRequest?.properties ?? {}).sort());
    const named = ['InputImage', 'PresetSelection', 'Retention', 'SvgOptions', 'WebhookDestination'];
    for (const name of named) {
      expect(dicts[name]).toEqual(Object.keys(schemas[name]?.properties ?? {}).sort());
    }
    const filters = (paths['/images'].get.parameters as Parameter[])
      .map((each) => (each.$ref ? components.parameters[each.$ref.split('/').at(-1) ?? ''] : each))
      .filter((each) => each.in === 'query')
      .map(({ name }) => name);
    expect(dicts.ListFilters).toEqual(filters.sort());
  });

  it('values are those of the document', async () => {
    const { literals } = await pythonTypes();
    expect(Object.keys(literals)).toContain('JobStatus');
    for (const [name, values] of Object.entries(literals)) {
      expect({ name, values }).toEqual({ name, values: schemas[name]?.enum });
    }
  });
});

async function pythonTypes(): Promise<PythonTypes> {
  return JSON.parse(await runPython(['tests/print_types.py'], { url: 'http://localhost' }));
}

describe('exceptions of the Python client', () => {
  it('the exceptions of the Python client match the table of errors', () => {
    expect(textOf('clients/python/src/darkroom/error_codes.py')).toBe(pythonErrors());
  });
});
