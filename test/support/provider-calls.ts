import { onTestFinished } from 'vitest';
import {
  type CallContext,
  type ImageCall,
  type ImageProvider,
  ProviderError,
  type ProviderFailure,
  type ResponseSink,
} from '../../src/domain/ports.ts';
import { createOpenAIProvider } from '../../src/outbound/providers/openai/images/openai-provider.ts';
import type { OpenAIProviderConfig } from '../../src/outbound/providers/openai/images/provider-config.ts';
import { chunked, noiseImage } from './images.ts';

/** Helpers that call a provider and collect the results. */

/** Creates the official client for a server of the test. The client is closed when the test ends. */
export function openAIProvider(baseUrl: string, rest: Partial<OpenAIProviderConfig> = {}) {
  const provider = createOpenAIProvider({ name: 'openai', apiKey: 'sk-test-000', baseUrl, ...rest });
  onTestFinished(provider.close);
  return provider;
}

/** Returns a response of the Images API with one image. */
export async function imageResponse(): Promise<{ png: Buffer; text: string }> {
  const png = await noiseImage(256, 256);
  const text = JSON.stringify({
    created: 1,
    data: [{ b64_json: png.toString('base64') }],
    usage: { input_tokens: 17, output_tokens: 196, total_tokens: 213 },
  });
  return { png, text };
}

export const imageCall = (prompt: string): ImageCall => ({
  model: 'gpt-image-2',
  prompt,
  parameters: { size: '1024x1024', quality: 'low' },
});

export const contextOf = (rest: Partial<CallContext> = {}): CallContext => ({
  signal: new AbortController().signal,
  timeoutMs: 20_000,
  clientRequestId: 'img_1-1',
  ...rest,
});

/** Creates a sink that stores the last body it received, even if the body is incomplete. */
export function collector() {
  let parts: Uint8Array[] = [];
  const sink: ResponseSink = async (_head, body) => {
    parts = [];
    for await (const part of body) parts.push(part);
  };
  const bytes = () => Buffer.concat(parts);
  return {
    sink,
    bytes,
    decoded: (provider: Pick<ImageProvider, 'decode'>) => provider.decode(chunked(bytes())),
  };
}

export const drain: ResponseSink = async (_head, body) => {
  for await (const _ of body) {
    // The body is only read.
  }
};

/** Returns the ProviderError of a failed call. Throws any other error. */
export async function failureOf(run: Promise<unknown>): Promise<ProviderFailure> {
  const error = await run.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error.failure;
  throw error;
}

/** Creates the signal of a caller and counts the listeners that remain on it. */
export function watchedSignal(): { signal: AbortSignal; listeners: () => number } {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(signal, given);
  };
  signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
    listeners -= 1;
    removeEventListener.apply(signal, given);
  };
  return { signal, listeners: () => listeners };
}
