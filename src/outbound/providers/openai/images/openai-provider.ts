import type { ImageProvider } from '../../../../domain/ports.ts';
import { createOpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';
import { checkAccount } from './check-account.ts';
import { decodeResponseBody } from './decode-response-body.ts';
import { limitsOf, type OpenAIProviderConfig } from './provider-config.ts';
import { imagesBody } from './request-body.ts';
import { headOf } from './response-head.ts';

/**
 * The Images API, called with the official client. `check` asks for the list of models, which is free and says whether
 * the address and the key are right; it throws a ProviderError. `close` breaks off calls that still run.
 *
 * Keeps the promises of `ImageProvider`: one call is one HTTP request, whatever comes back.
 */
export function createOpenAIProvider(
  config: OpenAIProviderConfig,
): ImageProvider & { check(): Promise<string>; close(): Promise<void> } {
  const connection = createOpenAIConnection(config);
  const limits = limitsOf(config);

  return {
    name: config.name,

    async generate(call, context, sink) {
      const running = beginCall(connection, context);
      try {
        const response = await running.send((options) =>
          connection.client.images.generate(imagesBody(call), options).asResponse(),
        );
        const head = headOf(response);
        await running.receive(response, limits.maxResponseBytes, (body) => sink(head, body));
        return head;
      } finally {
        running.end();
      }
    },

    check: () => checkAccount(connection),
    decode: (response, memory) => decodeResponseBody(response, limits, memory),
    close: connection.close,
  };
}
