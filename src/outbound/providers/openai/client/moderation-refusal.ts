import { z } from 'zod';
import type { ErrorFacts } from './error-facts.ts';

/** The objection of a provider's safety system. */
export interface ModerationRefusal {
  readonly categories: string[];
  /** Whether the prompt (`input`) or the finished image (`output`) was refused; absent if unknown. */
  readonly stage?: string | undefined;
}

const maxCategories = 16;

const Names = z.array(z.string()).optional().catch(undefined);
const Filtered = z.record(z.string(), z.unknown()).optional().catch(undefined);

/** Fields in which OpenAI, Azure and OpenRouter name the categories. */
const Details = z.looseObject({
  moderation_details: z
    .looseObject({ categories: Names, moderation_stage: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
  content_filter_result: Filtered,
  content_filter_results: Filtered,
  reasons: Names,
});

/**
 * Reads the categories of a refusal. OpenAI names them in `moderation_details`, or only in the text, as
 * `safety_violations=[sexual, violence]`. Azure marks them as filtered.
 */
export function readModeration({ parts, message }: ErrorFacts): ModerationRefusal {
  const details = parts.flatMap((part): z.infer<typeof Details>[] => {
    const parsed = Details.safeParse(part);
    return parsed.success ? [parsed.data] : [];
  });
  const listed = listedIn(message ?? '');
  const names = [
    ...details.flatMap((each) => each.moderation_details?.categories ?? []),
    ...details.flatMap((each) => filteredIn(each.content_filter_result ?? each.content_filter_results)),
    ...details.flatMap((each) => each.reasons ?? []),
    ...listed,
  ];
  const categories = names.map(categoryName).filter((name) => name !== '');
  const stage = categoryName(
    details.find((each) => each.moderation_details)?.moderation_details?.moderation_stage ?? '',
  );
  return {
    categories: [...new Set(categories)].slice(0, maxCategories),
    ...(stage && stage !== 'unknown' ? { stage } : {}),
  };
}

/** Returns the names in the list `safety_violations=[...]` of a text. */
function listedIn(message: string): string[] {
  const [, after = ''] = message.split('safety_violations', 2);
  const begin = after.slice(0, 10).indexOf('[');
  const end = after.slice(0, 1_000).indexOf(']');
  const isList = begin >= 0 && end > begin && after.slice(0, begin).trim() === '=';
  return isList ? after.slice(begin + 1, end).split(',') : [];
}

const filteredIn = (results: Record<string, unknown> | undefined) =>
  Object.entries(results ?? {}).flatMap(([name, result]) =>
    typeof result === 'object' && result !== null && Reflect.get(result, 'filtered') === true ? [name] : [],
  );

function categoryName(text: string): string {
  const name = text
    .slice(0, 100)
    .replace(/["'\s]+/g, ' ')
    .trim();
  return /^[A-Za-z0-9_/ -]{1,64}$/.test(name) ? name : '';
}
