import type { FastifyError } from 'fastify';
import type { FieldIssue } from '../../domain/errors.ts';
import { pointerToken } from '../../domain/json-pointer.ts';

type ValidationIssue = NonNullable<FastifyError['validation']>[number] & { propertyName?: string };

/**
 * Converts the issues of the validator. The issues of one value do not contradict each other.
 *
 * @param context the part of the request that was validated, such as `body`.
 */
export function fieldIssuesOf(validation: readonly ValidationIssue[], context: string): FieldIssue[] {
  return agreeing(reportable(validation)).map((issue) => issueOf(issue, context));
}

/**
 * Removes redundant issues:
 *
 * - the issue that some name or choice is invalid, because another issue describes the fault;
 * - the issue that a value is no text, if other issues show that the caller meant the object of that choice.
 */
function reportable(all: readonly ValidationIssue[]): ValidationIssue[] {
  const isAboutFields = ({ keyword }: ValidationIssue) =>
    ['required', 'additionalProperties'].includes(keyword);
  const hasMore = (path: string) =>
    all.some(
      (other) =>
        other.instancePath.startsWith(`${path}/`) || (other.instancePath === path && isAboutFields(other)),
    );
  return all.filter(({ keyword, schemaPath, instancePath }) => {
    if (keyword === 'propertyNames' || keyword === 'anyOf') return false;
    const isOfChoice = keyword === 'type' && schemaPath.includes('/anyOf/');
    return !isOfChoice || !hasMore(instancePath);
  });
}

/**
 * Merges the issues of the choices that a value has, such as a number or null:
 *
 * - The list of the allowed values says everything.
 * - A fault besides the type shows which choice the caller meant, so the types of the others are no faults.
 * - Otherwise the types of all choices are one issue.
 */
function agreeing(all: readonly ValidationIssue[]): ValidationIssue[] {
  const byPath = new Map<unknown, ValidationIssue[]>();
  for (const issue of all) {
    const key = isAboutValue(issue) ? issue.instancePath : issue;
    byPath.set(key, [...(byPath.get(key) ?? []), issue]);
  }
  return [...byPath.values()].flatMap((issues) => {
    const [first] = issues;
    if (!first || issues.length === 1) return issues;
    const lists = issues.filter(({ keyword }) => keyword === 'enum');
    if (lists.length > 0) return lists;
    const types = issues.filter(({ keyword }) => keyword === 'type');
    const wrong = new Set(types.map(schemaOf));
    const meant = issues.filter((issue) => issue.keyword !== 'type' && !wrong.has(schemaOf(issue)));
    if (meant.length > 0 || types.length === 0) return meant;
    const names = new Set(types.flatMap(({ params }) => (params as { type: string | string[] }).type));
    return [{ ...first, keyword: 'type', message: `must be ${[...names].join(' or ')}` }];
  });
}

/** Returns whether an issue is about the value at its path, and not about one of its members. */
const isAboutValue = ({ keyword, propertyName }: ValidationIssue) =>
  propertyName === undefined &&
  !['required', 'additionalProperties', 'unevaluatedProperties'].includes(keyword);

/** Returns the path of the schema that has the keyword of an issue. */
const schemaOf = ({ schemaPath }: ValidationIssue) => schemaPath.slice(0, schemaPath.lastIndexOf('/'));

/** Converts an issue of the validator to a pointer and a sentence. The pointer of a query parameter is `/query/NAME`. */
function issueOf(issue: ValidationIssue, context: string): FieldIssue {
  const params = issue.params as Record<string, unknown>;
  const base =
    (context === 'body' ? '' : context === 'querystring' ? '/query' : `/${context}`) + issue.instancePath;
  if (issue.propertyName !== undefined) {
    return { pointer: `${base}/${pointerToken(issue.propertyName)}`, detail: `its name ${issue.message}` };
  }
  const extra = params.additionalProperty ?? params.unevaluatedProperty;
  if (typeof extra === 'string') {
    return {
      pointer: `${base}/${pointerToken(extra)}`,
      detail: 'is not a known field',
    };
  }
  const missing = params.missingProperty;
  if (typeof missing === 'string') return { pointer: `${base}/${missing}`, detail: 'is required' };
  const allowed = params.allowedValues;
  if (Array.isArray(allowed)) return { pointer: base, detail: `must be one of ${allowed.join(', ')}` };
  return { pointer: base, detail: issue.message ?? 'is not valid' };
}
