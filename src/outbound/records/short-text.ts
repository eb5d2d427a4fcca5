/**
 * Makes the JSON of records short: what stands in nearly every record is written as one or two control characters.
 * JSON text never holds a control character by itself, so the way back is exact, whatever a record says.
 *
 * The list is part of what is stored: it only grows at its end, and nothing in it ever changes.
 */
const fragments = [
  '"status":"',
  '"stage":"',
  '"createdAt":',
  '"updatedAt":',
  '"startedAt":',
  '"finishedAt":',
  '{"at":',
  '"index":',
  '"state":"stored"',
  '"fence":',
  '"kind":"generate"',
  '"providerRequestId":"req_',
  '"costMicroUsd":',
  '"storageKey":"',
  '"contentType":"image/',
  '"width":',
  '"height":',
  '"sizeBytes":',
  '"sha256":"',
  '"request":{"prompt":"',
  '"model":"gpt-image-',
  '"size":"1024x1024"',
  '"priority":"normal"',
  '"enhance":"off"',
  '"queue_ttl_s":',
  '"run_timeout_s":',
  '"metadata":{',
  // From here on two characters each.
  '"quality":"',
  '"images":[',
  '"attempts":[',
  '"history":[',
  '"mediaExpiresAt":',
  '"recordExpiresAt":',
  '"usage":{"input_tokens":',
  '"output_tokens":',
  '"total_tokens":',
  'queued"}',
  'running"',
  'succeeded"',
  'generating"}',
  'storing"}',
  '"no":1',
  '"n":1',
  '"size":"',
  '"webhook":{"url":"https://',
  '"output_format":"',
  '"traceparent":"00-',
  '"revisedPrompt":"',
  '"enhancedPrompt":"',
  '"errors":[{"code":"',
  '"message":"',
  '"billing":"',
  '"provider":{',
  '"request_id":"',
  '"mediaGone":true',
  '"state":"',
  '"kind":"enhance"',
  '"cancelRequestedAt":',
  '"parentId":"img_',
  '"model":"',
  '"receivedAt":',
  '"handle":"',
  '"origin":"http',
];

/**
 * How many of them are written; the others are only read. What is added in one release is written from the next on, so that
 * while one replaces the other each can read what the other writes.
 */
const writtenFragments = 63;

const firstCode = 1;
const singles = 27;
/** Stands before the second character of a two-character code. */
const prefix = String.fromCharCode(firstCode + singles);
const secondBase = '0'.charCodeAt(0);

const codes = fragments.map((_, i) =>
  i < singles ? String.fromCharCode(firstCode + i) : prefix + String.fromCharCode(secondBase + i - singles),
);
const codeOf = new Map(fragments.map((fragment, i) => [fragment, codes[i] ?? fragment]));
const fragmentOf = new Map(codes.map((code, i) => [code, fragments[i] ?? code]));

const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const longestFirst = fragments.slice(0, writtenFragments).toSorted((a, b) => b.length - a.length);
const anyFragment = new RegExp(longestFirst.map(quoted).join('|'), 'g');
const anyCode = new RegExp(`${prefix}[^]|[${codes[0]}-${codes[singles - 1]}]`, 'g');

/** Shortens JSON text. */
export function shorten(json: string): string {
  return json.replace(anyFragment, (fragment) => codeOf.get(fragment) ?? fragment);
}

/** The JSON text that was shortened. @throws Error for a code that this release does not know. */
export function restore(text: string): string {
  return text.replace(anyCode, (code) => {
    const fragment = fragmentOf.get(code);
    if (fragment === undefined) throw new Error('the record was written by a newer release');
    return fragment;
  });
}
