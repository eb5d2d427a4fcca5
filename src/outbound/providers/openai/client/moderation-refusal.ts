import { z } from 'zod';

/** What a provider's safety system objects to. */
export interface ModerationRefusal {
  readonly categories: string[];
  /** Whether the prompt or the finished image was refused; absent when not said. */
  readonly stage?: string | undefined;
}

const moderationCodes = new Set([
  'moderation_blocked',
  'content_policy_violation',
  'image_content_policy_violation',
  'content_filter',
  'contentFilter',
  'ResponsibleAIPolicyViolation',
]);
const maxCategories = 16;

const ErrorBody = z.looseObject({
  code: z.string().nullish().catch(null),
  type: z.string().nullish().catch(null),
  message: z.string().catch(''),
  moderation_details: z
    .looseObject({
      categories: z.array(z.string()).catch([]),
      moderation_stage: z.string().nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/**
 * Reads a refusal by a safety system out of the `error` of a 4xx answer; `null` when it is another refusal.
 *
 * OpenAI names the categories in `moderation_details`, or only in the text, as `safety_violations=[sexual, violence]`.
 */
export function moderationOf(error: unknown): ModerationRefusal | null {
  const parsed = ErrorBody.safeParse(error);
  if (!parsed.success) return null;
  const { code, type, message, moderation_details: details } = parsed.data;
  const blamesSafety = /safety[ _](?:system|violations?)|moderation/i.test(message.slice(0, 4000));
  const blocked =
    moderationCodes.has(code ?? '') ||
    (type === 'image_generation_user_error' && (blamesSafety || !!details));
  if (!blocked) return null;
  const listed = /safety_violations ?= ?\[([^[\]]*)\]/.exec(message.slice(0, 4000))?.[1]?.split(',') ?? [];
  const categories = [...(details?.categories ?? []), ...listed]
    .map(categoryName)
    .filter((name) => name !== '');
  const stage = categoryName(details?.moderation_stage ?? '');
  return {
    categories: [...new Set(categories)].slice(0, maxCategories),
    ...(stage && stage !== 'unknown' ? { stage } : {}),
  };
}

function categoryName(text: string): string {
  const name = text.replace(/["'\s]+/g, ' ').trim();
  return /^[A-Za-z0-9_/ -]{1,64}$/.test(name) ? name : '';
}
