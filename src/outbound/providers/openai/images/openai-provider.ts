import type { ImageProvider } from '../../../../domain/ports.ts';
import { createOpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';
import { checkAccount } from './check-account.ts';
import { decodeResponseBody } from './decode-response-body.ts';
import { maxImageBytes } from './decoded-response.ts';
import { limitsOf, type OpenAIProviderConfig } from './provider-config.ts';
import { createProviderLinks } from './provider-links.ts';
import { receiveImage } from './receive-image.ts';
import { headOf } from './response-head.ts';
import { resumeLinks } from './resume-links.ts';
import { submitImages } from './submit-images.ts';

/**
 * Creates a provider that calls the Images API with the official client.
 *
 * `check` requests the list of models, which is free, to verify the address and the key. It throws a ProviderError if the
 * check fails. `close` aborts calls in flight.
 *
 * Implements the guarantees of `ImageProvider`: one call is one HTTP request, regardless of the response. Only a call whose
 * response holds a link has a handle.
 */
export function createOpenAIProvider(
  config: OpenAIProviderConfig,
): Omit<Required<ImageProvider>, 'cancel'> & { check(): Promise<string>; close(): Promise<void> } {
  const connection = createOpenAIConnection(config);
  const limits = limitsOf(config);
  const fetchLink = createProviderLinks(connection, config.fetchLink);

  return {
    name: config.name,

    async generate(call, context, sink) {
      const running = beginCall(connection, context);
      try {
        const response = await submitImages(connection.client, running, call);
        const head = headOf(response);
        await receiveImage(running, { response, call, context, limits, sink, fetchLink });
        return head;
      } finally {
        running.end();
      }
    },

    resume: (handle, context, sink) =>
      resumeLinks({ handle, context, sink, fetchLink, maxBytes: maxImageBytes(limits) }),
    check: () => checkAccount(connection),
    decode: (response, memory) => decodeResponseBody(response, limits, memory),
    close: connection.close,
  };
}
