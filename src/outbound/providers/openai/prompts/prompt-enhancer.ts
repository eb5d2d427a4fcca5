import type { OpenAI } from 'openai';
import {
  type CallContext,
  type Clock,
  type PromptEnhancer,
  ProviderError,
  type ProviderFailure,
} from '../../../../domain/ports.ts';
import { requestIdOf } from '../client/classify-failure.ts';
import { classifyText } from '../client/classify-whole.ts';
import { createOpenAIConnection } from '../client/openai-connection.ts';
import { beginCall, responseFacts } from '../client/provider-call.ts';
import { cleanDescription } from './clean-description.ts';
import { type ReadCompletion, readCompletion } from './completion.ts';
import { instructions } from './instructions.ts';
import { lostQuotedText } from './quoted-text.ts';

export interface PromptEnhancerConfig {
  /** Name of the provider in the registry. */
  readonly name: string;
  readonly apiKey: string;
  /** Proxy for all calls. Default: direct calls. */
  readonly proxy?: string | undefined;
  readonly baseUrl?: string | undefined;
  /** A language model of the chat completions API. */
  readonly model: string;
  /** Maximum number of tokens of a response, including the model's reasoning. Default 2,000. */
  readonly maxTokens?: number | undefined;
  /** Maximum length of a description, in code points. Default 4,000. */
  readonly maxCodePoints?: number | undefined;
  readonly clock?: Clock | undefined;
}

const defaultMaxTokens = 2_000;
const defaultMaxCodePoints = 4_000;
const maxResponseBytes = 1024 * 1024;

/**
 * Creates an enhancer that writes descriptions with a language model. The user message is the caller's prompt and nothing
 * else. The system message is a constant. `close` aborts calls in flight.
 *
 * `enhance` throws an error of kind `unusable` if the response has no description, was cut off by the token limit or is a
 * refusal. It throws the same kind if the description lost a quoted text of the prompt.
 */
export function createPromptEnhancer(
  config: PromptEnhancerConfig,
): PromptEnhancer & { close(): Promise<void> } {
  const connection = createOpenAIConnection(config);
  const maxTokens = config.maxTokens ?? defaultMaxTokens;
  const maxCodePoints = config.maxCodePoints ?? defaultMaxCodePoints;

  const requestBody = (
    prompt: string,
    { safetyIdentifier }: Pick<CallContext, 'safetyIdentifier'>,
  ): OpenAI.Chat.ChatCompletionCreateParamsNonStreaming => ({
    model: config.model,
    ...(safetyIdentifier === undefined ? {} : { safety_identifier: safetyIdentifier }),
    max_completion_tokens: maxTokens,
    messages: [
      { role: 'system', content: instructions },
      { role: 'user', content: prompt },
    ],
  });

  return {
    provider: config.name,
    model: config.model,

    async enhance(prompt, context) {
      const call = beginCall(connection, context);
      try {
        const response = await call.send((options) =>
          connection.client.chat.completions.create(requestBody(prompt, context), options).asResponse(),
        );
        const providerRequestId = requestIdOf((name) => response.headers.get(name));
        const body = await call.receive(response, maxResponseBytes, textOf);
        const provider = responseFacts(response);
        const completion = readCompletion(body);
        if (!completion) throw withoutCompletion(body, provider);
        const text = cleanDescription(completion.text, maxCodePoints);
        const fault = faultOf(completion, prompt, text);
        if (fault) throw unusable(fault, moneyOf(completion), provider);
        return {
          text,
          usage: completion.usage,
          ...(providerRequestId === undefined ? {} : { providerRequestId }),
        };
      } finally {
        call.end();
      }
    },

    close: connection.close,
  };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function faultOf(completion: ReadCompletion, prompt: string, text: string): string | null {
  if (completion.refused) return 'it declined to describe this prompt';
  if (completion.finishReason === 'length') return 'its description was cut off by the token limit';
  if (text === '') return 'its description is empty';
  if (lostQuotedText(prompt, text) !== null) return 'its description lost a quoted text of the prompt';
  return null;
}

/** Classifies a body that is no chat completion, which may state a refusal. Prose may come from the model, so it counts as none. */
function withoutCompletion(body: string, provider: NonNullable<ProviderFailure['provider']>): ProviderError {
  const stated = /^\s*\{/.test(body) ? classifyText(body, provider) : null;
  return stated
    ? new ProviderError(stated)
    : unusable('its response is no chat completion', { billing: 'possible' }, provider);
}

type Money = Pick<ProviderFailure, 'billing' | 'spent'>;

const moneyOf = ({ usage }: ReadCompletion): Money =>
  usage ? { billing: 'charged', spent: { usage } } : { billing: 'possible' };

function unusable(fault: string, money: Money, provider: ProviderFailure['provider']): ProviderError {
  const message = `The language model brought no usable description: ${fault}.`;
  return new ProviderError({
    kind: 'unusable',
    code: 'provider_unusable_answer',
    ...money,
    message,
    provider,
  });
}
