import { invalid } from './refusals.ts';

type Body = Readonly<Record<string, unknown>>;

export type TextRequest = {
  model: string;
  /** The last user message as written. */
  prompt: string;
  /** All text of the request, for counting tokens. */
  allText: string;
  /** Maximum number of output tokens. Infinity without a limit. */
  maxTokens: number;
};

/** Reads `messages` of a chat completion. @throws StudioRefusal 400 if there is no user message. */
export function readChatRequest(body: Body): TextRequest {
  refuseStream(body);
  return fromMessages(body, {
    ...{ param: 'messages', messages: body.messages, instructions: '' },
    maxTokens: tokenLimit(body, ['max_completion_tokens', 'max_tokens']),
  });
}

/** Reads `input` (a text, or a list of messages) of a response. @throws StudioRefusal 400 if there is no user text. */
export function readResponseRequest(body: Body): TextRequest {
  const instructions = typeof body.instructions === 'string' ? body.instructions : '';
  const input = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
  const maxTokens = tokenLimit(body, ['max_output_tokens']);
  return fromMessages(body, { param: 'input', messages: input, instructions, maxTokens });
}

/** Refuses the stream of a text. @throws StudioRefusal 400 */
export function refuseStream(body: Body): void {
  if (body.stream === true) throw invalid('stream', 'unsupported_value', 'The studio does not stream text.');
}

function fromMessages(
  body: Body,
  {
    param,
    messages,
    ...given
  }: { param: string; messages: unknown; instructions: string; maxTokens: number },
): TextRequest {
  if (!Array.isArray(messages)) {
    throw invalid(param, 'missing_required_parameter', `Missing required parameter: '${param}'.`);
  }
  const texts = messages.filter(isRecord).map(({ role, content }) => ({ role, text: textOf(content) }));
  const last = texts.findLast(({ role, text }) => role === 'user' && text !== '');
  if (last === undefined)
    throw invalid(param, 'invalid_value', `'${param}' holds no user message with text.`);
  return {
    model: typeof body.model === 'string' ? body.model : 'studio-writer',
    prompt: last.text,
    allText: [given.instructions, ...texts.map(({ text }) => text)].join('\n'),
    maxTokens: given.maxTokens,
  };
}

/** Returns the first limit that a request states. @throws StudioRefusal 400 if it is no positive integer. */
function tokenLimit(body: Body, names: readonly string[]): number {
  const name = names.find((each) => body[each] !== undefined && body[each] !== null);
  if (name === undefined) return Number.POSITIVE_INFINITY;
  const limit = body[name];
  if (typeof limit === 'number' && Number.isInteger(limit) && limit > 0) return limit;
  throw invalid(name, 'invalid_value', `Invalid '${name}': expected an integer of at least 1.`);
}

/** Returns the text of a message: a string, or the text parts of a list. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .filter(isRecord)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}

/** Returns true for JSON objects. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
