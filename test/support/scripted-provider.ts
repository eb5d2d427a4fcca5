import type { ErrorCode } from '../../src/domain/errors.ts';
import {
  type DecodedResponse,
  type DescribeImage,
  type ImageCall,
  type ImageProvider,
  type PromptEnhancer,
  ProviderError,
  type ProviderFailure,
} from '../../src/domain/ports.ts';
import { digestHex } from '../../src/lib/crypto/api-key-text.ts';
import { oneChunk } from './memory-ports.ts';

/** Result of one call to the scripted provider. */
export type ScriptedResponse =
  | 'image'
  | 'no image'
  | 'damaged image'
  | 'until stopped'
  | ProviderFailure
  | ((call: { signal: AbortSignal }) => Promise<'image' | ProviderFailure>);

/** Result of one call to the scripted language model. */
export type ScriptedDescription =
  | string
  | ProviderFailure
  | ((signal: AbortSignal) => Promise<ProviderFailure>);

/** Returns a failure of a provider call. */
export function failureOf(
  kind: ProviderFailure['kind'],
  code: ErrorCode = 'provider_unreachable',
  more: Partial<ProviderFailure> = {},
): ProviderFailure {
  return {
    kind,
    code,
    billing: ['uncertain', 'unusable', 'damaged'].includes(kind) ? 'possible' : 'none',
    message: `Response of the provider: ${kind}.`,
    ...more,
  };
}

/** Creates a provider that returns the given responses in sequence, and images after them. */
export function scriptedProvider(name: string, responses: readonly ScriptedResponse[]) {
  const calls: ImageCall[] = [];
  const provider: ImageProvider = {
    name,
    async generate(call, context, sink) {
      const number = calls.push(call);
      const scripted = responses[number - 1] ?? 'image';
      const response = typeof scripted === 'function' ? await scripted(context) : scripted;
      if (response === 'until stopped') {
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        throw new ProviderError(failureOf('uncertain', 'provider_outcome_unknown'));
      }
      if (typeof response === 'object') throw new ProviderError(response);
      const head = { providerRequestId: `req_${number}` };
      await sink(head, oneChunk(Buffer.from(`${response} of call ${number}`)));
      return head;
    },
    decode: decodeScripted,
  };
  return { provider, calls };
}

/** Creates a language model that returns the given descriptions in sequence, and longer prompts after them. */
export function scriptedEnhancer(descriptions: readonly ScriptedDescription[]) {
  const enhancements: string[] = [];
  const enhancer: PromptEnhancer = {
    provider: 'studio',
    model: 'gpt-5.4-mini',
    async enhance(prompt, { signal }) {
      enhancements.push(prompt);
      const next = descriptions[enhancements.length - 1] ?? `${prompt}, in detail`;
      const scripted = typeof next === 'function' ? await next(signal) : next;
      if (typeof scripted !== 'string') throw new ProviderError(scripted);
      return { text: scripted, usage: { input_tokens: 400, output_tokens: 200, total_tokens: 600 } };
    },
  };
  return { enhancer, enhancements };
}

/** Describes the image of a scripted response. */
export const describeScripted: DescribeImage = (bytes) =>
  bytes.toString().startsWith('image') ? { contentType: 'image/png', width: 1024, height: 1024 } : null;

/** Decodes the text of a scripted response as its image. */
export async function decodeScripted(body: AsyncIterable<Uint8Array>): Promise<DecodedResponse> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (bytes.toString().startsWith('damaged image'))
    throw new ProviderError(failureOf('damaged', 'provider_unusable_answer'));
  if (bytes.toString().startsWith('no image'))
    throw new ProviderError(failureOf('unusable', 'provider_unusable_answer'));
  return {
    image: { bytes, sha256: digestHex(bytes), contentType: 'image/png', width: 1024, height: 1024 },
    usage: { input_tokens: 18, output_tokens: 196, total_tokens: 214 },
    revisedPrompt: null,
  };
}
