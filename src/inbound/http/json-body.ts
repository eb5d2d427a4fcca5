import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { pointerToken } from '../../domain/json-pointer.ts';
import { findDuplicateName } from './duplicate-names.ts';
import { maxRequestTextBytes } from './max-body-size.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Size of a JSON body, in bytes; 0 without one. */
    bodyBytes: number;
  }
}

/** Maximum nesting. Deeper JSON has no use here, and recursive functions would need more stack. */
export const maxDepth = 32;
/** Length from which on a string is long, in bytes: it is data or a whole text. */
const longStringBytes = 4096;
const tooDense = `The body may have ${maxRequestTextBytes} bytes besides the data of images.`;

/**
 * Reads JSON bodies strictly: valid UTF-8, bounded depth, no duplicate names, no prototype poisoning. An empty body is
 * `undefined`, because many clients send a content type of JSON or forms with requests that need no body.
 */
export function acceptJson(app: FastifyInstance): void {
  app.decorateRequest('bodyBytes', 0);
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    request.bodyBytes = bytes.length;
    if (bytes.length === 0) return done(null, undefined);
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') {
      return done(
        new AppError('unsupported_media_type', {
          detail: 'Send the body without Content-Encoding.',
        }),
      );
    }
    if (!isUtf8(bytes)) return done(new AppError('invalid_json', { detail: 'The body is not valid UTF-8.' }));
    const { depth, members, isDense } = measure(bytes, maxRequestTextBytes);
    if (isDense) return done(new AppError('payload_too_large', { detail: tooDense }));
    if (depth > maxDepth) {
      return done(
        new AppError('invalid_json', { detail: `The body is nested deeper than ${maxDepth} levels.` }),
      );
    }
    const text = bytes.toString('utf8');
    parse(request, text, (error, value) => {
      if (error) done(failureOf(text, error));
      else if (countMembers(value) < members) done(duplicateIn(text));
      else done(null, value);
    });
  });
}

/** Returns the reason of a parse error. The parser also refuses names that reach a prototype, with the same error. */
function failureOf(text: string, cause: Error): AppError {
  if (!isJson(text)) return new AppError('invalid_json', { detail: 'The body is not valid JSON.', cause });
  const detail = 'must not hold a field named __proto__, or a field named constructor that holds prototype';
  return new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [{ pointer: '', detail }],
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

interface Measures {
  /** Maximum nesting. */
  readonly depth: number;
  /** Total number of members of all objects. */
  readonly members: number;
  /** Whether the text besides long strings is longer than allowed. The other measures end there. */
  readonly isDense: boolean;
}

/**
 * Measures a JSON text without parsing it. The parser drops duplicate names, so fewer members after parsing mean that a name
 * occurred twice. Parsing millions of small values would delay other callers and need thirty times the memory of their text.
 *
 * @param maxDenseBytes maximum length besides long strings.
 */
export function measure(bytes: Buffer, maxDenseBytes = Number.POSITIVE_INFINITY): Measures {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let longBytes = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (i - longBytes > maxDenseBytes) return { depth: deepest, members, isDense: true };
    const byte = bytes[i] ?? 0;
    if (byte === quote) {
      const end = endOfString(bytes, i + 1);
      if (end - i > longStringBytes) longBytes += end - i;
      i = end;
    } else if (byte === colon) members += 1;
    else if (byte === openBrace || byte === openBracket) deepest = Math.max(deepest, ++depth);
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
  }
  return { depth: deepest, members, isDense: false };
}

/** Returns the position of the closing quote of a string; the length of the text if it has none. */
function endOfString(bytes: Buffer, start: number): number {
  for (let from = start; ; ) {
    const end = bytes.indexOf(quote, from);
    if (end < 0) return bytes.length;
    let first = end;
    while (first > start && bytes[first - 1] === backslash) first -= 1;
    // An odd number of backslashes escapes the quote.
    if ((end - first) % 2 === 0) return end;
    from = end + 1;
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items = Object.values(value);
  const own = Array.isArray(value) ? 0 : items.length;
  return items.reduce<number>((sum, item) => sum + countMembers(item), own);
}

function duplicateIn(text: string): AppError {
  const pointer = (findDuplicateName(text) ?? []).map((name) => `/${pointerToken(name)}`).join('');
  return new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [{ pointer, detail: 'occurs more than once' }],
  });
}
