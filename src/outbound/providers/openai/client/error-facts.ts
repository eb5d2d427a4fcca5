/** All facts in the body of an error, at any depth, because gateways nest them differently. */
export interface ErrorFacts {
  /** Codes and types from the outside to the inside. */
  readonly words: readonly string[];
  /** The first code. */
  readonly code: string | undefined;
  /** The first message, without the exception names that wrappers prepend. */
  readonly message: string | null;
  /** All messages, at most 8. */
  readonly messages: readonly string[];
  /** Every object that was read, from the outside to the inside. */
  readonly parts: readonly object[];
}

const codeMembers = ['code', 'error_code', 'errorCode', 'errorcode', 'Code'];
const wordMembers = [
  ...codeMembers,
  ...['type', 'status', 'reason', 'errorType', 'error_type', 'name', 'finish_reason', 'finishReason'],
  ...['failure_code', 'failureCode', 'fail_code', 'failCode', 'blockReason'],
];
const messageMembers = [
  ...['message', 'msg', 'Message', 'detail', 'error', 'error_description', 'error_message', 'errorMessage'],
  ...['error_msg', 'fail_reason', 'failReason', 'failure_reason', 'failureReason', 'faultstring', 'title'],
  ...['status_msg', 'failure', 'err'],
];
const innerMembers = [
  ...['error', 'errors', 'inner_error', 'innererror', 'innerError', 'provider_specific_fields'],
  ...[
    'detail',
    'details',
    'body',
    'raw',
    'extensions',
    'cause',
    'upstream',
    'upstream_error',
    'provider_error',
  ],
  ...['original_error', 'originalError', 'fault', 'exception', 'response', 'data', 'result', 'Error'],
  ...['err', 'output', 'base_resp', 'ResponseMetadata', 'promptFeedback', 'choices', 'candidates'],
];
const maxDepth = 6;
const maxParts = 40;
const maxMessages = 8;
const maxMessageLength = 4_000;
const maxJsonLength = 64_000;

/** Reads the body of an error. Bodies nest to any depth, as objects, lists, JSON texts and exception texts. */
export function readErrorFacts(body: unknown): ErrorFacts {
  const words: string[] = [];
  const parts: object[] = [];
  const messages: string[] = [];
  let code: string | undefined;

  function readText(text: string, depth: number): void {
    const inner = unwrapMessage(text.slice(0, maxJsonLength));
    const value = parseObject(inner);
    if (value) read(value, depth + 1);
    else {
      words.push(...reprWords(inner), ...codeWords(inner));
      if (inner !== '' && messages.length < maxMessages) messages.push(inner.slice(0, maxMessageLength));
    }
  }

  function read(value: unknown, depth: number): void {
    if (depth > maxDepth || parts.length >= maxParts) return;
    if (Array.isArray(value)) {
      for (const each of value.slice(0, 5)) read(each, depth + 1);
    } else if (typeof value === 'string') readText(value, depth);
    else if (typeof value === 'object' && value !== null) readObject(value, depth);
  }

  function readObject(part: object, depth: number): void {
    if (depth > 0 && isEcho(part)) return;
    parts.push(part);
    for (const member of wordMembers) {
      const word = wordOf(Reflect.get(part, member));
      if (word === undefined) continue;
      words.push(word);
      if (codeMembers.includes(member)) code ??= word;
    }
    for (const member of messageMembers) {
      const text: unknown = Reflect.get(part, member);
      if (typeof text === 'string') readText(text, depth);
    }
    for (const member of innerMembers) {
      const inner: unknown = Reflect.get(part, member);
      if (typeof inner === 'object' || member === 'raw' || isJsonText(inner)) read(inner, depth + 1);
    }
    // Metadata may be the caller's own. Only what a gateway puts there counts: the error of its provider, and categories.
    const metadata: unknown = Reflect.get(part, 'metadata');
    if (typeof metadata === 'object' && metadata !== null) {
      parts.push(metadata);
      read(Reflect.get(metadata, 'raw'), depth + 1);
    }
  }

  read(body, 0);
  return { words, code, message: messages[0] ?? null, messages, parts };
}

/**
 * Returns a code or a type; of a link to the documentation of a type (RFC 9457), its last part. A sentence does not count,
 * because it may echo the prompt and codes are logged.
 */
export function wordOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return undefined;
  const word = /^https?:/.test(value)
    ? value.slice(1 + Math.max(...['/', '#'].map((c) => value.lastIndexOf(c))))
    : value;
  return /^[\w.:-]{1,100}$/.test(word) ? word : undefined;
}

/**
 * Returns whether an object inside an error is the request, which some gateways send back. A caller can write any option
 * into it, and must not be able to block the account of a deployment.
 */
const isEcho = (part: object) => typeof Reflect.get(part, 'prompt') === 'string';

/** Returns whether a text holds the JSON of a member that other gateways send as an object. */
const isJsonText = (value: unknown) => typeof value === 'string' && /^\s{0,16}[{[]/.test(value);

/** Returns the code of a message that is nothing but a code. A single plain word is no code. */
function codeWords(text: string): string[] {
  const word = /^["']?([A-Za-z0-9]{2,40}(?:[_.-][A-Za-z0-9]{1,40}){1,6})["'.]?$/.exec(
    text.slice(0, 300),
  )?.[1];
  return word === undefined ? [] : [word];
}

/** Texts that gateways and clients write in front of the message of a provider. */
const wrappers: readonly RegExp[] = [
  // Names of exceptions, for example `litellm.RateLimitError: OpenAIException - `.
  /^[\w.]{1,60}(?:Error|Exception)(?::| -)/,
  // Statuses, for example `Error code: 429 - ` or `status_code=429, `.
  /^(?:error code|status code|status_code|status|http|error)[ :=]{1,3}[45][0-9]{2}(?: -|[:,]|(?= ))/i,
  /^[45][0-9]{2}(?: -|:|(?= [A-Z"'{]))/,
  /^(?:bad |unexpected )?(?:response )?status code:? [45][0-9]{2},? ?(?:message|body)?:?/i,
  // Names of the layer that failed, for example `OpenAI API error: ` or `Authentication Error, `.
  /^(?!invalid|prompt|input|value|valid)(?:[\w-]{1,30} ){0,3}(?:error|failed|failure)(?:[:,]| -|(?= [45][0-9]{2}\b))/i,
  /^(?:message|reason|body|detail):/i,
  // A Python byte string.
  /^b(?=['"]\{)/,
];

/** Removes what gateways write in front of a message. */
function unwrapMessage(text: string): string {
  let rest = text.trimStart();
  for (let layers = 0; layers < 8; layers += 1) {
    const wrapper = wrappers.map((each) => each.exec(rest)?.[0]).find((found) => found);
    if (wrapper === undefined) return rest;
    rest = rest.slice(wrapper.length).trimStart();
  }
  return rest;
}

/** Texts that gateways append to the JSON of a provider: the id of a request, and the names of LiteLLM's models. */
const behindJson =
  /^['"]?[.;,]?\s*(?:\((?:request|trace)[ _-]?id[:=] ?[\w-]{1,100}\)|Received Model Group=[^\n]*(?:\nAvailable Model Group[^\n]*)?)?$/i;

/**
 * Parses a JSON object that is a whole text, apart from what gateways append. Any other text behind the object is about the
 * object, which is then a value of the caller, such as `'...' is not one of ['low', 'high']`. A caller must not be able to block the
 * account of a deployment.
 */
function parseObject(text: string): object | null {
  const start = /^['"]?\{/.exec(text)?.[0].length ?? 0;
  if (start === 0) return null;
  for (const end of [text.length, text.lastIndexOf('}') + 1]) {
    try {
      const value: unknown = JSON.parse(text.slice(start - 1, end));
      return typeof value === 'object' && behindJson.test(text.slice(end).trim()) ? value : null;
    } catch {}
  }
  return null;
}

/**
 * Reads code and type of a Python dictionary in a message. The last ones count, because they follow the inner message. That
 * message may quote the caller, so nothing in front of the parameter counts, which follows it.
 */
function reprWords(text: string): string[] {
  if (!/^\{'(?:error|message|code)'/.test(text)) return [];
  const own = text.slice(Math.max(0, text.lastIndexOf("'param': ")));
  return ['code', 'type'].flatMap((member) => {
    const name = `'${member}': `;
    const at = own.lastIndexOf(name);
    const value = at === -1 ? '' : own.slice(at + name.length);
    const word = value.startsWith("'") ? wordOf(value.slice(1).split("'", 1)[0]) : undefined;
    return word === undefined ? [] : [word];
  });
}
