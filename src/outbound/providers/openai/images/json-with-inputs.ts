import { randomUUID } from 'node:crypto';
import type { CallInput } from '../../../../domain/ports.ts';
import { type BodyPart, createStreamedBody, type StreamedBody } from './streamed-body.ts';

/**
 * Builds a JSON body with inputs as data URLs, which stream from the storage.
 *
 * @param build returns the value of the body. Its argument returns the data URL of an input.
 */
export function jsonWithInputs(
  inputs: readonly CallInput[],
  build: (urlOf: (input: CallInput) => string) => unknown,
): StreamedBody & { readonly contentType: string } {
  // Each token stands for the base64 of one input and occurs nowhere else in the JSON.
  const tokens = new Map(inputs.map((input) => [input, `darkroom-${randomUUID()}`]));
  const json = JSON.stringify(build((input) => `data:${input.contentType};base64,${tokens.get(input)}`));
  return { ...createStreamedBody(partsOf(json, tokens)), contentType: 'application/json' };
}

/** Splits a JSON text at the tokens of the inputs. */
function partsOf(json: string, tokens: ReadonlyMap<CallInput, string>): BodyPart[] {
  let rest = json;
  const parts: BodyPart[] = [];
  for (const [input, token] of [...tokens].sort(([, a], [, b]) => json.indexOf(a) - json.indexOf(b))) {
    const at = rest.indexOf(token);
    parts.push(rest.slice(0, at), { input, encoding: 'base64' });
    rest = rest.slice(at + token.length);
  }
  return [...parts, rest];
}
