import { onTestFinished } from 'vitest';
import {
  type AnswerSink,
  type CallContext,
  type PictureCall,
  ProviderError,
  type ProviderFailure,
} from '../../src/domain/ports.ts';
import {
  createResponsesProvider,
  type ResponsesProviderConfig,
} from '../../src/outbound/providers/openai/responses-provider.ts';
import { type StudioOptions, startStudio } from '../../src/outbound/providers/studio/studio.ts';
import { chunked } from './pictures.ts';

/** A provider of pictures in the background that asks every 10 ms; it goes with the test. */
export function backgroundProvider(baseUrl: string, rest: Partial<ResponsesProviderConfig> = {}) {
  const provider = createResponsesProvider({
    name: 'openai',
    apiKey: 'sk-test-000',
    baseUrl,
    carrierModel: 'gpt-5.4-mini',
    pauseMs: () => 10,
    ...rest,
  });
  onTestFinished(provider.close);
  return provider;
}
export type BackgroundProvider = ReturnType<typeof backgroundProvider>;

/** A studio and a provider that calls it. */
export async function backgroundStudio(options: StudioOptions = {}) {
  const studio = await startStudio({ picture: 'quick', ...options });
  onTestFinished(studio.stop);
  return { studio, provider: backgroundProvider(studio.baseUrl) };
}

export const pictureCall = (prompt: string): PictureCall => ({
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

/** A sink that keeps the last body it was given to its end. */
export function collector() {
  let kept = Buffer.alloc(0);
  const sink: AnswerSink = async (_head, body) => {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    kept = Buffer.concat(parts);
  };
  return {
    sink,
    bytes: () => kept,
    decoded: (provider: BackgroundProvider) => provider.decode(chunked(kept)),
  };
}

export const drain: AnswerSink = async (_head, body) => {
  for await (const _ of body) {
    // Only read.
  }
};

/** How a call failed. Throws what is no ProviderError. */
export async function failureOf(run: Promise<unknown>): Promise<ProviderFailure> {
  const error = await run.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error.failure;
  throw error;
}
