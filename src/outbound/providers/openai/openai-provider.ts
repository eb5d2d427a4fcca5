import type { OpenAI } from 'openai';
import type { AnswerHead, Clock, ImageProvider, PictureCall } from '../../../domain/ports.ts';
import { requestIdOf } from '../../../lib/openai-client/classify-failure.ts';
import { createOpenAIConnection } from '../../../lib/openai-client/openai-connection.ts';
import { beginCall } from '../../../lib/openai-client/provider-call.ts';
import { decodeAnswer } from './decode-answer.ts';

export interface OpenAIProviderConfig {
  readonly name: 'openai' | 'studio';
  readonly apiKey: string;
  /** Address of an API that speaks OpenAI's language, with its version; OpenAI's own by default. */
  readonly baseUrl?: string | undefined;
  /** Largest answer taken, as sent; 128 MiB by default, which is a picture of 96 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  /** Most pixels a picture may have; 64 million by default. */
  readonly maxPixels?: number | undefined;
  readonly clock?: Clock | undefined;
}

const defaultMaxAnswerBytes = 128 * 1024 * 1024;
const checkTimeoutMs = 8_000;
const defaultMaxPixels = 64_000_000;

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
  const maxAnswerBytes = config.maxAnswerBytes ?? defaultMaxAnswerBytes;
  const maxPixels = config.maxPixels ?? defaultMaxPixels;

  return {
    name: config.name,

    async generate(call, context, sink) {
      const running = beginCall(connection, context);
      try {
        const response = await running.send((options) =>
          connection.client.images.generate(requestBody(call), options).asResponse(),
        );
        const head = headOf(response);
        await running.receive(response, maxAnswerBytes, (body) => sink(head, body));
        return head;
      } finally {
        running.end();
      }
    },

    async check() {
      const context = {
        signal: new AbortController().signal,
        timeoutMs: checkTimeoutMs,
        clientRequestId: 'check',
      };
      const running = beginCall(connection, context);
      try {
        await running.send((options) => connection.client.models.list(options).asResponse());
        return `${connection.client.baseURL} answers and takes the key`;
      } finally {
        running.end();
      }
    },

    decode: (answer) => decodeAnswer(answer, { maxAnswerBytes, maxPixels }),

    close: connection.close,
  };
}

/** One picture, not streamed: a stream would be charged for its partial pictures and has another shape. */
function requestBody(call: PictureCall): OpenAI.Images.ImageGenerateParamsNonStreaming {
  const { stream: _stream, partial_images: _partialImages, ...parameters } = call.parameters;
  return { ...parameters, model: call.model, prompt: call.prompt, n: 1 };
}

function headOf(response: Response): AnswerHead {
  const providerRequestId = requestIdOf((name) => response.headers.get(name));
  return providerRequestId === undefined ? {} : { providerRequestId };
}
