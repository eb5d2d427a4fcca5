import OpenAI, { APIError } from 'openai';
import { onTestFinished, vi } from 'vitest';
import {
  type Studio,
  type StudioCall,
  type StudioOptions,
  startStudio,
} from '../../src/local/studio/studio.ts';

/** Starts a studio with quick images, which ends with the test. Returns it with an official client. */
export async function studioAndClient(
  options: StudioOptions = {},
): Promise<{ studio: Studio; client: OpenAI }> {
  const studio = await startStudio({ image: 'quick', ...options });
  onTestFinished(studio.stop);
  return { studio, client: new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 }) };
}

export const generate = (client: OpenAI, prompt: string, more: object = {}) =>
  client.images.generate({ model: 'gpt-image-2', prompt, ...more });

export function bytesOf(image: { b64_json?: string | undefined } | undefined): Buffer {
  return Buffer.from(image?.b64_json ?? '', 'base64');
}

/** Returns the API error of a rejected call. Throws any other error. */
export async function apiErrorOf(promise: Promise<unknown>): Promise<InstanceType<typeof APIError>> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof APIError) return error;
  throw error;
}

export const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 5 });

/** Waits until the last call has ended. Resolves with the call. */
export async function lastCall(studio: Studio): Promise<StudioCall> {
  await until(() => studio.calls.at(-1)?.endedAt != null);
  const call = studio.calls.at(-1);
  if (call === undefined) throw new Error('no call arrived');
  return call;
}
