import { type BackgroundDeps, cancelResponse, sendResponse, submitRequest } from './background-responses.ts';
import { editWithBody, editWithForm, receiveEditForm } from './edits/edit-images.ts';
import type { Exchange } from './exchange.ts';
import { generateImages, JSON_TYPE } from './generate-images.ts';
import { readGenerationRequest } from './generation-request.ts';
import { MODEL_IDS } from './models.ts';
import { StudioRefusal } from './refusals.ts';
import { isRecord, readChatRequest, readResponseRequest, refuseStream } from './text-request.ts';
import { requestsImage } from './tool-request.ts';
import { chatCompletion, responseObject, writeText } from './write-text.ts';

type Body = Readonly<Record<string, unknown>>;
type Handler = (exchange: Exchange, body: Body) => Promise<void>;
type Endpoint = {
  readonly method: 'GET' | 'POST';
  readonly handle: Handler;
  readonly maxBodyBytes?: number;
  /** Reads and handles a multipart body. */
  readonly handleForm?: (exchange: Exchange) => Promise<void>;
};

const MAX_BODY_BYTES = 1024 * 1024;
/** Maximum size of a JSON body with images. */
const MAX_IMAGE_BODY_BYTES = 128 * 1024 * 1024;

/** Creates the function that runs the endpoint of a call. It throws StudioRefusal for every error response. */
export function createRouter(deps: BackgroundDeps): (exchange: Exchange) => Promise<void> {
  const find = createEndpoints(deps);
  return async (exchange) => {
    const { method, path } = exchange.call;
    const endpoint = find(path);
    if (endpoint?.handleForm !== undefined && exchange.sendsForm && method === endpoint.method) {
      return await endpoint.handleForm(exchange);
    }
    const maxBytes = endpoint?.maxBodyBytes ?? MAX_BODY_BYTES;
    // The body is read even if the call is refused, because a client that is still writing would not see the response.
    const read = method === 'POST' ? await exchange.readJson(maxBytes) : { value: {} };
    requireCredentials(exchange);
    if (endpoint === undefined) throw new StudioRefusal(404, `Invalid URL (${method} ${path})`);
    if (method !== endpoint.method) {
      throw new StudioRefusal(405, `Not allowed to ${method} on ${path}.`, { code: 'method_not_allowed' });
    }
    if (read === 'too-large') {
      throw new StudioRefusal(413, `The request body is larger than ${maxBytes / 1024 / 1024} MiB.`);
    }
    if (read === 'malformed') throw new StudioRefusal(400, 'The request body is not valid JSON.');
    if (!isRecord(read.value)) throw new StudioRefusal(400, 'The request body must be a JSON object.');
    const { prompt: _prompt, messages: _messages, input: _input, ...parameters } = read.value;
    exchange.call.parameters = shortened(parameters);
    await endpoint.handle(exchange, read.value);
  };
}

function requireCredentials({ hasCredentials }: Exchange): void {
  if (!hasCredentials) {
    throw new StudioRefusal(401, 'Missing API key. Send it as Authorization: Bearer KEY.');
  }
}

/** Returns the parameters with short data URLs, for the call log. */
function shortened(parameters: Body): Body {
  return JSON.parse(
    JSON.stringify(parameters, (_name, value: unknown) =>
      typeof value === 'string' && value.startsWith('data:') ? `${value.slice(0, 40)}…` : value,
    ),
  );
}

function createEndpoints(deps: BackgroundDeps): (path: string) => Endpoint | undefined {
  const post = (handle: Handler): Endpoint => ({ method: 'POST', handle });
  const get = (handle: Handler): Endpoint => ({ method: 'GET', handle });
  const endpoints: Readonly<Record<string, Endpoint>> = {
    '/v1/images/generations': post((exchange, body) => {
      exchange.call.prompt = promptOf(body.prompt);
      return generateImages(exchange, readGenerationRequest(body, deps.autoQuality), deps);
    }),
    '/v1/images/edits': {
      ...post((exchange, body) => editWithBody(exchange, body, deps)),
      maxBodyBytes: MAX_IMAGE_BODY_BYTES,
      async handleForm(exchange) {
        const form = await receiveEditForm(exchange, deps);
        try {
          requireCredentials(exchange);
          await editWithForm(exchange, form, deps);
        } finally {
          await form.remove();
        }
      },
    },
    '/v1/chat/completions': post((exchange, body) => {
      const request = readChatRequest(body);
      exchange.call.prompt = request.prompt;
      return writeText(exchange, { request, shape: chatCompletion }, deps);
    }),
    '/v1/responses': {
      ...post((exchange, body) => {
        const request = readResponseRequest(body);
        exchange.call.prompt = request.prompt;
        if (requestsImage(body)) return submitRequest(exchange, body, deps);
        refuseStream(body);
        return writeText(exchange, { request, shape: responseObject }, deps);
      }),
      maxBodyBytes: MAX_IMAGE_BODY_BYTES,
    },
    '/v1/models': get(sendModels),
  };
  return (path) => {
    if (Object.hasOwn(endpoints, path)) return endpoints[path];
    if (path.startsWith('/v1/models/')) return get(sendModels);
    const [, id, cancel] = /^\/v1\/responses\/([^/]+)(\/cancel)?$/.exec(path) ?? [];
    if (id === undefined) return undefined;
    if (cancel === undefined) return get((exchange) => sendResponse(exchange, id, deps));
    return post((exchange) => cancelResponse(exchange, id, deps));
  };
}

const promptOf = (value: unknown) => (typeof value === 'string' ? value : null);

async function sendModels(exchange: Exchange): Promise<void> {
  const models = MODEL_IDS.map((id) => ({ id, object: 'model', created: 1_777_000_000, owned_by: 'studio' }));
  const wanted = decodeName(exchange.call.path.slice('/v1/models/'.length));
  const one = models.find(({ id }) => id === wanted);
  if (wanted !== '' && one === undefined) {
    throw new StudioRefusal(404, `The model '${wanted}' does not exist.`, {
      code: 'model_not_found',
      param: 'model',
    });
  }
  const body = JSON.stringify(one ?? { object: 'list', data: models });
  await exchange.reply({ status: 200, headers: JSON_TYPE, body });
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
