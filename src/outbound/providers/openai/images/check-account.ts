import type { OpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';

const timeoutMs = 8_000;

/**
 * Asks for the list of models, which is free and says whether the address and the key are right.
 *
 * @returns what was found, for people.
 * @throws ProviderError
 */
export async function checkAccount(connection: OpenAIConnection): Promise<string> {
  const { signal } = new AbortController();
  const running = beginCall(connection, { signal, timeoutMs, clientRequestId: 'check' });
  try {
    await running.send((options) => connection.client.models.list(options).asResponse());
    return `${connection.client.baseURL} answers and takes the key`;
  } finally {
    running.end();
  }
}
