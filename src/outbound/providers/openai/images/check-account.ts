import { redactUrl } from '../../../../lib/redact-url.ts';
import type { OpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';

const timeoutMs = 8_000;

/**
 * Requests the list of models, which is free and checks the address and the key.
 *
 * @returns the finding as text for the operator.
 * @throws ProviderError
 */
export async function checkAccount(connection: OpenAIConnection): Promise<string> {
  const { signal } = new AbortController();
  const running = beginCall(connection, { signal, timeoutMs, clientRequestId: 'check' });
  try {
    const response = await running.send((options) => connection.client.models.list(options).asResponse());
    const address = redactUrl(connection.client.baseURL);
    const isHtml = response.headers.get('content-type')?.includes('html');
    if (isHtml) {
      throw new Error(
        `${address} returns a web page, not the OpenAI API.${remedyFor(connection.client.baseURL)}`,
      );
    }
    return `${address} accepts the key`;
  } finally {
    running.end();
  }
}

const remedyFor = (baseUrl: string) =>
  /\/v\d+$/.test(new URL(baseUrl).pathname) ? '' : ` Set OPENAI_BASE_URL to ${redactUrl(baseUrl)}/v1`;
