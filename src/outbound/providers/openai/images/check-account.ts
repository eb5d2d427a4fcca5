import { APIError } from 'openai';
import { ProviderError } from '../../../../domain/ports.ts';
import { redactUrl } from '../../../../lib/redact-url.ts';
import { classifyStatedError } from '../client/classify-failure.ts';
import type { OpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';

const timeoutMs = 8_000;
/** A list of the models of a large gateway has 200 kB. */
const maxListBytes = 4 * 1024 * 1024;

/**
 * Requests the list of models, which is free and checks the address and the key.
 *
 * @returns the finding as text for the operator.
 * @throws ProviderError, or Error with the remedy if the address is not that of the API.
 */
export async function checkAccount(connection: OpenAIConnection): Promise<string> {
  const { signal } = new AbortController();
  const running = beginCall(connection, { signal, timeoutMs, clientRequestId: 'check' });
  const { baseURL } = connection.client;
  const address = redactUrl(baseURL);
  try {
    const response = await running.send((options) => connection.client.models.list(options).asResponse());
    const body = await running.receive(response, maxListBytes, textOf);
    if (isPage(response.headers) || body.trimStart().startsWith('<')) throw new Error(pageAt(baseURL));
    return findingOf(parsed(body), address);
  } catch (error) {
    throw remedied(error, baseURL);
  } finally {
    running.end();
  }
}

/** @throws ProviderError if the list is an error. */
function findingOf(list: unknown, address: string): string {
  const stated = classifyStatedError(Reflect.get(Object(list), 'error') ?? null, { status: 200 });
  if (stated) throw new ProviderError(stated);
  const models: unknown = Reflect.get(Object(list), 'data') ?? Reflect.get(Object(list), 'models') ?? list;
  return Array.isArray(models)
    ? `${address} accepts the key`
    : `${address} responds, but without a list of models, so this check proves neither the address nor the key`;
}

/** Adds the likely cause to a refusal of the list. */
function remedied(error: unknown, baseUrl: string): unknown {
  if (!(error instanceof ProviderError) || !(error.cause instanceof APIError)) return error;
  const { status = 0, headers } = error.cause;
  if (headers && isPage(headers)) return new Error(`${pageAt(baseUrl)} (status ${status})`);
  return status === 404 || status === 405 || (status >= 300 && status < 400)
    ? new Error(`${error.failure.message.replace(/\.?$/, '.')}${remedyFor(baseUrl)}`, { cause: error })
    : error;
}

const isPage = (headers: Headers) => /html/i.test(headers.get('content-type') ?? '');

const pageAt = (baseUrl: string) =>
  `${redactUrl(baseUrl)} returns a web page, not the OpenAI API.${remedyFor(baseUrl)}`;

const remedyFor = (baseUrl: string) =>
  /\/v\d+$/.test(new URL(baseUrl).pathname) ? '' : ` Set OPENAI_BASE_URL to ${redactUrl(baseUrl)}/v1`;

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
