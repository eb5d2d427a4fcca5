import fc, { type Arbitrary } from 'fast-check';
import type { Node } from './openapi-document.ts';

/** Generators of values that JSON Schemas allow, and of damaged values. */

/** Maximum length of random text. Longer texts repeat one character. */
const maxSpelledLength = 24;

const character = fc.oneof(
  { arbitrary: fc.constantFrom(...'abcXYZ019 -_.,:/"\\\'<>&%{}[]$'), weight: 8 },
  { arbitrary: fc.constantFrom('ä', '漢', '🦊', 'é', '\u202e', '\u2028', '\ufeff', '\n', '\t'), weight: 2 },
);

/** Generates texts in many alphabets between two lengths, in code points. */
export function textOf(minLength: number, maxLength: number): Arbitrary<string> {
  const spelled = Math.min(maxLength, minLength + maxSpelledLength);
  return fc.array(character, { minLength, maxLength: spelled }).map((characters) => characters.join(''));
}

/** Generates values that a schema allows: ordinary ones and those at its limits. */
export function allowedBy(schema: Node, resolve: (reference: string) => Node): Arbitrary<unknown> {
  const next = (nested: unknown) => allowedBy(nested as Node, resolve);
  if (typeof schema.$ref === 'string') return next(resolve(schema.$ref));
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const choices = (schema.anyOf ?? schema.oneOf) as unknown[] | undefined;
  if (choices) return fc.oneof(...choices.map(next));
  switch (schema.type) {
    case 'string':
      return stringOf(schema);
    case 'integer':
      return integerOf(schema);
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(next(schema.items ?? {}), {
        minLength: Number(schema.minItems ?? 0),
        maxLength: Math.min(Number(schema.maxItems ?? 4), 16),
      });
    case 'object':
      return objectOf(schema, next);
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function stringOf(schema: Node): Arbitrary<string> {
  const minLength = Number(schema.minLength ?? 0);
  const maxLength = Number(schema.maxLength ?? 200);
  if (schema.format === 'date-time') {
    return fc
      .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString());
  }
  const isAllowed = (text: string) =>
    typeof schema.pattern !== 'string' || new RegExp(schema.pattern, 'u').test(text);
  const spelled = textOf(minLength, maxLength).filter(isAllowed);
  if (typeof schema.pattern === 'string' && !isAllowed('x'.repeat(Math.max(1, minLength)))) {
    return fc
      .stringMatching(new RegExp(schema.pattern, 'u'), { maxLength })
      .filter((text) => text.length >= minLength);
  }
  const atLimits = fc.constantFrom(Math.max(1, minLength), maxLength).map((length) => 'x'.repeat(length));
  return fc.oneof({ arbitrary: spelled, weight: 6 }, { arbitrary: atLimits, weight: 1 });
}

function integerOf(schema: Node): Arbitrary<number> {
  const min = Number(schema.minimum ?? -1_000_000);
  const max = Number(schema.maximum ?? Number.MAX_SAFE_INTEGER);
  return fc.oneof(
    { arbitrary: fc.integer({ min, max: Math.min(max, min + 1000) }), weight: 4 },
    { arbitrary: fc.constantFrom(min, max), weight: 1 },
  );
}

function objectOf(schema: Node, next: (nested: unknown) => Arbitrary<unknown>): Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Record<string, Node>;
  const required = (schema.required ?? []) as string[];
  const named = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, nested]) => [name, next(nested)])),
    { requiredKeys: required, noNullPrototype: true },
  );
  const extra = schema.additionalProperties;
  if (extra === undefined || extra === false) return sparse(named, required, Object.keys(properties).length);
  const names = (schema.propertyNames ?? { type: 'string' }) as Node;
  const keys = stringOf({ maxLength: 64, ...names, minLength: Math.max(1, Number(names.minLength ?? 1)) });
  return fc.dictionary(keys, next(extra === true ? {} : extra), {
    maxKeys: Math.min(Number(schema.maxProperties ?? 5), 16),
    noNullPrototype: true,
  });
}

/** Omits most optional members, because an object with all of them is refused for too many reasons. */
function sparse(
  named: Arbitrary<Record<string, unknown>>,
  required: readonly string[],
  size: number,
): Arbitrary<unknown> {
  const draws = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: size, maxLength: size });
  return fc
    .tuple(named, draws)
    .map(([value, thrown]) =>
      Object.fromEntries(
        Object.entries(value).filter(([name], i) => required.includes(name) || thrown[i] === 0),
      ),
    );
}

/** JSON values that no schema of the document expects. */
const strangeValue: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e21,
    -0,
    '',
    ' ',
    [],
    {},
    [[]],
    [null],
    '0',
    'null',
  ),
  fc.constantFrom(
    '\ud800',
    'a\udc00b',
    'nul \u0000 in it',
    '\u0000',
    '\uffff',
    '../../etc/passwd',
    '{{7*7}}',
  ),
  fc.constantFrom(1_000, 40_000, 200_000).map((length) => 'y'.repeat(length)),
  fc.integer({ min: 2, max: 60 }).map((depth) => nested(depth)),
  fc.jsonValue({ maxDepth: 2 }),
  textOf(0, 40),
);

const strangeName = fc.constantFrom('qualty', 'constructor', '', 'a/b~c', '🦊', 'toString', 'x'.repeat(300));

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Generates values in which one to three members were replaced, removed or added. */
export function damaged(value: Arbitrary<unknown>): Arbitrary<unknown> {
  const step = fc.record({
    kind: fc.constantFrom('replace', 'replace', 'remove', 'add'),
    where: fc.nat(),
    name: strangeName,
    value: strangeValue,
  });
  return fc
    .tuple(value, fc.array(step, { minLength: 1, maxLength: 3 }))
    .map(([start, steps]) => steps.reduce(applyDamage, structuredClone(start)));
}

interface Damage {
  readonly kind: string;
  readonly where: number;
  readonly name: string;
  readonly value: unknown;
}

function applyDamage(value: unknown, damage: Damage): unknown {
  const members = membersOf(value);
  const member = members[damage.where % members.length];
  if (!member) return damage.value;
  const { holder, key } = member;
  if (damage.kind === 'remove') delete holder[key];
  else if (damage.kind === 'add') holder[damage.name] = damage.value;
  else holder[key] = damage.value;
  return value;
}

function membersOf(value: unknown): { holder: Node; key: string }[] {
  if (value === null || typeof value !== 'object') return [];
  const holder = value as Node;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...membersOf(holder[key])]);
}
