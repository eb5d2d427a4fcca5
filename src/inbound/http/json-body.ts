import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/errors.ts';

/** Deeper JSON serves nobody and costs stack wherever it is walked. */
const maxDepth = 32;

/**
 * Reads JSON bodies strictly: valid UTF-8 only, bounded depth, no prototype poisoning. An empty body is `undefined`, since
 * many clients send a content type, of JSON or of forms, with requests that need no body.
 */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    if (bytes.length === 0) return done(null, undefined);
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') {
      return done(
        new AppError('unsupported_media_type', {
          detail: 'Send the body as it is, without Content-Encoding.',
        }),
      );
    }
    if (!isUtf8(bytes)) return done(new AppError('invalid_json', { detail: 'The body is not valid UTF-8.' }));
    if (depthOf(bytes) > maxDepth) {
      return done(
        new AppError('invalid_json', { detail: `The body is nested deeper than ${maxDepth} levels.` }),
      );
    }
    const text = bytes.toString('utf8');
    parse(request, text, (error, value) => {
      if (error) done(failureOf(text, error));
      else done(null, value);
    });
  });
  app.addContentTypeParser('*', ({ headers }, _body, done) => {
    if (headers['content-length'] === '0') return done(null, undefined);
    done(
      new AppError('unsupported_media_type', { detail: 'Send JSON, as `Content-Type: application/json`.' }),
    );
  });
}

/** The parser refuses names that could reach the prototype of an object as well, and does not say which of both it was. */
function failureOf(text: string, cause: Error): AppError {
  if (!isJson(text)) return new AppError('invalid_json', { detail: 'The body is not valid JSON.', cause });
  const detail =
    'holds a field named __proto__, or constructor with a prototype, which are never known fields';
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
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Deepest nesting of a JSON text, without building it. */
function depthOf(bytes: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (inString) {
      if (byte === backslash) i += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBrace || byte === openBracket) deepest = Math.max(deepest, ++depth);
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
  }
  return deepest;
}
