/** All facts in the body of an error, at any depth, because gateways nest them differently. */
export interface ErrorFacts {
  /** Codes and types from the outside to the inside. */
  readonly words: readonly string[];
  /** The first code. */
  readonly code: string | undefined;
  /** The first message, without the exception names that wrappers prepend. */
  readonly message: string | null;
  /** Every object that was read, from the outside to the inside. */
  readonly parts: readonly object[];
}

const codeMembers = ['code', 'error_code', 'errorCode'];
const wordMembers = [...codeMembers, 'type', 'status', 'reason', 'errorType', 'error_type'];
const messageMembers = ['message', 'msg', 'detail', 'error', 'error_description'];
const innerMembers = [
  'error',
  'errors',
  'inner_error',
  'innererror',
  'innerError',
  'provider_specific_fields',
  'metadata',
  'detail',
  'details',
  'body',
  'raw',
];
const maxDepth = 6;
const maxParts = 40;
const maxMessageLength = 4_000;
const maxJsonLength = 64_000;

/** Reads the body of an error. Bodies nest to any depth, as objects, lists, JSON texts and exception texts. */
export function readErrorFacts(body: unknown): ErrorFacts {
  const words: string[] = [];
  const parts: object[] = [];
  let message: string | null = null;
  let code: string | undefined;

  function readText(text: string, depth: number): void {
    const inner = unwrapMessage(text.slice(0, maxJsonLength));
    const value = parseObject(inner);
    if (value) read(value, depth + 1);
    else {
      words.push(...reprWords(inner));
      if (inner !== '') message ??= inner.slice(0, maxMessageLength);
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
      if (typeof inner === 'object' || member === 'raw') read(inner, depth + 1);
    }
  }

  read(body, 0);
  return { words, code, message, parts };
}

/** Returns a code or a type. A sentence does not count, because it may echo the prompt and codes are logged. */
export function wordOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && /^[\w.:-]{1,100}$/.test(value) ? value : undefined;
}

/** Removes the names of exceptions in front of a message, for example `litellm.RateLimitError: OpenAIException - `. */
function unwrapMessage(text: string): string {
  let rest = text.trimStart();
  for (let layers = 0; layers < 6; layers += 1) {
    const wrapper = /^(?:[\w.]{1,60}(?:Error|Exception)(?::| -)|Error code: [0-9]{3} -)\s{0,8}/.exec(
      rest,
    )?.[0];
    if (wrapper === undefined) return rest;
    rest = rest.slice(wrapper.length);
  }
  return rest;
}

function parseObject(text: string): object | null {
  if (!text.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** Reads code and type of a Python dictionary in a message. The last ones count, because they follow the inner message. */
function reprWords(text: string): string[] {
  if (!/^\{'(?:error|message|code)'/.test(text)) return [];
  return ['code', 'type'].flatMap((member) => {
    const at = text.lastIndexOf(`'${member}': '`);
    if (at === -1) return [];
    const word = wordOf(text.slice(at + member.length + 5).split("'", 1)[0]);
    return word === undefined ? [] : [word];
  });
}
