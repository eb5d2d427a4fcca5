import { z } from 'zod';
import type { TokenUsage } from '../../../../domain/cost.ts';
import { TokenCount } from '../client/token-count.ts';

const OptionalText = z.string().nullish().catch(null);

const Part = z.looseObject({ type: OptionalText, text: OptionalText });
const Message = z.looseObject({
  content: z
    .union([z.string(), z.array(Part)])
    .nullish()
    .catch(null),
  refusal: OptionalText,
});

const Completion = z.looseObject({
  choices: z
    .array(z.looseObject({ finish_reason: OptionalText, message: Message.nullish().catch(null) }))
    .nullish()
    .catch(null),
  usage: z
    .looseObject({
      prompt_tokens: TokenCount,
      completion_tokens: TokenCount,
      prompt_tokens_details: z.looseObject({ cached_tokens: TokenCount }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/** The parts of a chat completion that prompt enhancement needs. */
export interface ReadCompletion {
  readonly text: string;
  readonly finishReason: string | null;
  readonly refused: boolean;
  readonly usage: TokenUsage | null;
}

/** Reads the body of a chat completion. Returns `null` if the body is no chat completion. */
export function readCompletion(body: string): ReadCompletion | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  const parsed = Completion.safeParse(value);
  const choice = parsed.data?.choices?.[0];
  if (!choice) return null;
  const content = choice.message?.content ?? '';
  return {
    text: typeof content === 'string' ? content : content.map((part) => part.text ?? '').join(''),
    finishReason: choice.finish_reason ?? null,
    refused: Boolean(choice.message?.refusal) || choice.finish_reason === 'content_filter',
    usage: usageOf(parsed.data?.usage),
  };
}

function usageOf(usage: z.infer<typeof Completion>['usage']): TokenUsage | null {
  // A model that read a prompt used tokens, so zeros are no count.
  if (!usage || usage.prompt_tokens + usage.completion_tokens === 0) return null;
  const cached = usage.prompt_tokens_details?.cached_tokens;
  return {
    input_tokens: usage.prompt_tokens,
    output_tokens: usage.completion_tokens,
    total_tokens: usage.prompt_tokens + usage.completion_tokens,
    input_tokens_details: {
      text_tokens: usage.prompt_tokens,
      ...(cached === undefined ? {} : { cached_tokens: cached }),
    },
    // Explicit, because output tokens without details are priced as image tokens.
    output_tokens_details: { text_tokens: usage.completion_tokens },
  };
}
