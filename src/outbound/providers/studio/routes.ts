import type { Exchange } from './exchange.ts';
import { generateImages, type ImageDeps } from './generate-images.ts';
import { MODEL_IDS } from './models.ts';
import { StudioRefusal } from './refusals.ts';
import { isRecord, readChatRequest, readResponseRequest } from './text-request.ts';
import { chatCompletion, responseObject, writeText } from './write-text.ts';

type Body = Readonly<Record<string, unknown>>;

/** Finds the endpoint for a call and runs it. Throws StudioRefusal for everything that gets an error answer. */
export function createRouter(deps: ImageDeps): (exchange: Exchange) => Promise<void> {
  const posts: Readonly<Record<string, (exchange: Exchange, body: Body) => Promise<void>>> = {
    '/v1/images/generations': (exchange, body) => {
      exchange.call.prompt = promptOf(body.prompt);
      return generateImages(exchange, body, deps);
    },
    '/v1/chat/completions': (exchange, body) => {
      const request = readChatRequest(body);
      exchange.call.prompt = request.prompt;
      return writeText(exchange, request, chatCompletion, deps);
    },
    '/v1/responses': (exchange, body) => {
      const request = readResponseRequest(body);
      exchange.call.prompt = request.prompt;
      return writeText(exchange, request, responseObject, deps);
    },
  };
  return async (exchange) => {
    const { method, path } = exchange.call;
    const post = Object.hasOwn(posts, path) ? posts[path] : undefined;
    const isModels = path === '/v1/models' || path.startsWith('/v1/models/');
    // The body is read even when it is refused: closing on a client that still writes would hide the answer.
    const read = method === 'POST' ? await exchange.readJson() : { value: {} };
    if (!exchange.hasCredentials) {
      throw new StudioRefusal(401, 'No API key was given: send it as Authorization: Bearer KEY.');
    }
    if (post === undefined && !isModels) throw new StudioRefusal(404, `Invalid URL (${method} ${path})`);
    if (method !== (isModels ? 'GET' : 'POST')) {
      throw new StudioRefusal(405, `Not allowed to ${method} on ${path}.`, { code: 'method_not_allowed' });
    }
    if (read === 'too-large') throw new StudioRefusal(413, 'The request body is larger than 1 MiB.');
    if (read === 'malformed') throw new StudioRefusal(400, 'The request body is not valid JSON.');
    if (!isRecord(read.value)) throw new StudioRefusal(400, 'The request body must be a JSON object.');
    if (post === undefined) return await answerModels(exchange);
    const { prompt: _prompt, messages: _messages, input: _input, ...parameters } = read.value;
    exchange.call.parameters = parameters;
    await post(exchange, read.value);
  };
}

const promptOf = (value: unknown) => (typeof value === 'string' ? value : null);

async function answerModels(exchange: Exchange): Promise<void> {
  const models = MODEL_IDS.map((id) => ({ id, object: 'model', created: 1_777_000_000, owned_by: 'studio' }));
  const wanted = decodeName(exchange.call.path.slice('/v1/models/'.length));
  const one = models.find(({ id }) => id === wanted);
  if (wanted !== '' && one === undefined) {
    throw new StudioRefusal(404, `The model '${wanted}' does not exist.`, {
      code: 'model_not_found',
      param: 'model',
    });
  }
  const body = one ?? { object: 'list', data: models };
  await exchange.answer(200, { 'content-type': 'application/json' }, JSON.stringify(body));
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
