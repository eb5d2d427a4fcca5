import type { ErrorMeaning } from './known-errors.ts';

/** Meanings of messages whose codes and types state none. Gateways in front of several providers often send only a text. */

/**
 * Sentences about an account, as they begin. An echoed prompt can come only further behind, so no caller can block the
 * account of a deployment with a prompt.
 */
const beginnings: readonly (readonly [ErrorMeaning, RegExp])[] = [
  [
    'quota',
    /^you(?:'ve| have)? exceeded your (?:current|monthly|daily|total) (?:quota|budget|spend|included credits)/,
  ],
  ['quota', /^(?:your |the )?billing (?:hard |soft )?limit (?:has been )?reached/],
  [
    'quota',
    /^(?:sorry, )?(?:your |the )?(?:credit|account)(?: credit)? balance (?:is )?(?:too low|insufficient|exhausted)/,
  ],
  ['quota', /^(?:sorry, )?insufficient (?:account |user |token )?(?:balance|credit|fund|quota)/],
  [
    'quota',
    /^(?:budget|credit limit|key limit|spending limit|spend limit) (?:has been )?(?:exceeded|reached)/,
  ],
  ['quota', /^exceeded\w{0,20}budget/],
  ['quota', /^(?:out of (?:call volume quota|credit)|you(?: have|'ve)? (?:run )?out of credit)/],
  [
    'quota',
    /^.{0,12}(?:\u989d\u5ea6(?:\u5df2\u7528\u5c3d|\u4e0d\u8db3|\u5df2\u8017\u5c3d)|\u4f59\u989d\u4e0d\u8db3|\u6b20\u8d39)/,
  ],
  ['key', /^(?:incorrect |invalid )api key provided/],
  [
    'key',
    /^(?:this|your) (?:organization|account|project|workspace) (?:has been|is|was) (?:disabled|deactivated|suspended|blocked)/,
  ],
];

/** Statuses of refusals that do not quote the request. Their whole text counts. */
const accountStatuses = new Set([401, 402, 403, 412, 429]);

const accountPhrases: readonly (readonly [ErrorMeaning, RegExp])[] = [
  // The key works, but not for this model, so other jobs may proceed.
  [
    'request',
    /(?:not allowed|no (?:right|permission)) to (?:access|use) (?:the |this )?model|not have access to (?:the |this )?model/,
  ],
  // LiteLLM refuses options such as `api_base` with 401.
  ['request', /is not allowed in (?:the )?request body/],
  ['request', /\u65e0\u6743(?:\u8bbf\u95ee|\u4f7f\u7528)(?:\u8be5)?\u6a21\u578b/],
  ['quota', /exceeded\w{0,20}budget|budget has been exceeded|exhausted balance|tokenstatusexhausted/],
  [
    'quota',
    /(?:balance|credits?|funds) (?:is |are |has been )?(?:exhausted|insufficient|too low|used up|depleted)/,
  ],
  [
    'quota',
    /(?:insufficient|not enough|no|any|out of|lack sufficient) (?:account |user |token )?(?:credit|balance|fund)/,
  ],
  ['quota', /(?:spending|spend|billing|credit|key|monthly usage) limit/],
  [
    'quota',
    /overdue|arrears|unpaid|past invoices|call volume quota|free tier of the model has been exhausted/,
  ],
  ['quota', /\u989d\u5ea6|\u4f59\u989d|\u6b20\u8d39/],
];

/** Phrases of safety systems. They concern one job only, so they count anywhere in a message. */
const safetyPhrases: readonly RegExp[] = [
  /safety[ _](?:system|violation|filter|check|polic)|content[ _](?:management[ _])?polic|content[ _]filter/,
  /moderation[ _](?:block|system|polic|fail)|(?:requires|by|failed|content|violates) (?:content )?moderation/,
  /(?:was|were|been|content|input|prompt) flagged|flagged (?:as|by|for)|responsibleai|guardrail/,
  /identifier blocked|access to \S{1,80} has been (?:temporarily )?limited/,
  /nsfw (?:content )?(?:was )?detected|new_sensitive|blocked due to security|usage (?:guidelines|polic)|safety_check/,
  /(?:sensitive|prohibited|inappropriate|harmful|unsafe) (?:content|material|information|words)/,
  /\u654f\u611f|\u8fdd\u89c4|\u4e0d\u5b89\u5168/,
];

/** A limit per time, and the share that a request takes of it, as OpenAI states them in the message of a rate limit. */
const statedLimit = /\blimit:? (\d[\d,]{0,14})\b/;
const statedShare = /\brequested:? (\d[\d,]{0,14})\b/;

/** Returns whether a message states that a request alone takes more than a whole limit, so that it never fits. */
export function exceedsWholeLimit(messages: readonly string[]): boolean {
  return lowerCase(messages).some((message) => {
    const start = message.slice(0, 600);
    const limit = amount(statedLimit.exec(start)?.[1]);
    return amount(statedShare.exec(start)?.[1]) > limit || /^request too large for\b/.test(start);
  });
}

const amount = (text: string | undefined) => Number(text?.replaceAll(',', '') ?? Number.NaN);

const lowerCase = (messages: readonly string[]) => messages.map((message) => message.toLowerCase());

const find = (phrases: typeof beginnings, texts: readonly string[]) =>
  phrases.find(([, phrase]) => texts.some((text) => phrase.test(text.slice(0, 300))))?.[0] ?? null;

/** Refusals of a value. They may begin with the value, which a caller chose. */
const refusalOfValue = /\bis not (?:a (?:valid|supported|known)|one of|among)\b/;

/** Returns what messages state about the account with their first words. */
export const meaningOfBeginning = (messages: readonly string[]): ErrorMeaning | null =>
  find(
    beginnings,
    lowerCase(messages).filter((message) => !refusalOfValue.test(message)),
  );

/**
 * Returns what messages state if no code or type is known.
 *
 * @param messages without the texts of wrappers.
 */
export function meaningOfMessages(
  messages: readonly string[],
  status: number | undefined,
): ErrorMeaning | null {
  const begun = meaningOfBeginning(messages);
  if (begun) return begun;
  const texts = lowerCase(messages);
  if (texts.some((text) => safetyPhrases.some((phrase) => phrase.test(text)))) return 'moderation';
  return status !== undefined && accountStatuses.has(status) ? find(accountPhrases, texts) : null;
}
