import type { ManagedKey } from '../../api/types.ts';
import { parseUsd } from '../../format/parse-usd.ts';

/** Scopes that a form offers. */
export const offeredScopes = ['images:read', 'images:write', 'webhooks', 'admin'] as const;
export const offeredWindows = ['day', 'week', 'month', 'total'] as const;
export type Window = (typeof offeredWindows)[number];

/** A budget as the user types it. */
export interface BudgetDraft {
  readonly window: Window;
  /** Amount in US dollars. */
  readonly dollars: string;
  readonly soft: boolean;
}

/** A key as the user types it. Empty texts set nothing. */
export interface KeyDraft {
  readonly name: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  /** Date and time in UTC, as an input of the browser has it. */
  readonly expires: string;
  readonly requestsPerMinute: string;
  readonly concurrentJobs: string;
  readonly queuedJobs: string;
  readonly budgets: readonly BudgetDraft[];
  /** Models that the key may use. None: every model. */
  readonly models: readonly string[];
  readonly presetsOnly: boolean;
}

/** Properties of the parts of the form of a key. */
export interface FieldsProps {
  readonly draft: KeyDraft;
  readonly change: (changes: Partial<KeyDraft>) => void;
  /** Fields that are wrong. */
  readonly wrong: ReadonlySet<FieldName>;
}

/** Names of fields that a user can mistype. */
export type FieldName =
  | 'name'
  | 'expires'
  | 'requestsPerMinute'
  | 'concurrentJobs'
  | 'queuedJobs'
  | `budget${number}`;

export interface KeyBody {
  readonly name?: string;
  readonly tenant?: string;
  readonly scopes: readonly string[];
  readonly expires_at: string | null;
  readonly limits: Readonly<Record<string, number | null>>;
  readonly budgets: readonly {
    readonly window: Window;
    readonly limit_micro_usd: number;
    readonly soft: boolean;
  }[];
  readonly models: readonly string[] | null;
  readonly presets_only: boolean;
}

/** The form of a new key: the usual scopes, and a budget of a day, because a key without one may spend any amount. */
export const newDraft: KeyDraft = {
  name: '',
  tenant: '',
  scopes: ['images:read', 'images:write'],
  expires: '',
  requestsPerMinute: '',
  concurrentJobs: '',
  queuedJobs: '',
  budgets: [{ window: 'day', dollars: '', soft: false }],
  models: [],
  presetsOnly: false,
};

type Rules = Pick<ManagedKey, 'limits' | 'budgets'>;

/** Returns the limits and budgets of a key or a tenant as a form has them. */
export function rulesOf({ limits, budgets }: Rules) {
  const text = (value: number | null) => (value === null ? '' : String(value));
  return {
    requestsPerMinute: text(limits.requests_per_minute),
    concurrentJobs: text(limits.concurrent_jobs),
    queuedJobs: text(limits.queued_jobs),
    budgets: budgets.flatMap(({ window, limit_micro_usd: limit, soft }): BudgetDraft[] =>
      window === 'other' ? [] : [{ window, dollars: dollarsOf(limit), soft }],
    ),
  };
}

/** Returns the form of a key that exists. */
export function draftOf(key: ManagedKey): KeyDraft {
  return {
    name: key.name,
    tenant: key.tenant,
    scopes: key.scopes.filter((scope) => scope !== 'other'),
    expires: key.expires_at === null ? '' : key.expires_at.slice(0, 16),
    models: key.models ?? [],
    presetsOnly: key.presets_only,
    ...rulesOf(key),
  };
}

/** Returns an amount in dollars as the user would type it, without a loss. */
export const dollarsOf = (microUsd: number): string => {
  const [whole, part = ''] = (microUsd / 1_000_000).toFixed(6).split('.');
  const digits = part.replace(/0+$/, '');
  return digits === '' ? String(whole) : `${whole}.${digits.padEnd(2, '0')}`;
};

const countOf = (text: string): number | null | undefined => {
  if (text.trim() === '') return null;
  return /^[1-9]\d{0,7}$/.test(text.trim()) ? Number(text.trim()) : undefined;
};

/** Returns the body of the request, or the names of the fields that are wrong. */
export function bodyOf(draft: KeyDraft, nowMs: number): { body: KeyBody } | { wrong: FieldName[] } {
  const wrong: FieldName[] = [];
  const count = (field: 'requestsPerMinute' | 'concurrentJobs' | 'queuedJobs') => {
    const value = countOf(draft[field]);
    if (value === undefined) wrong.push(field);
    return value ?? null;
  };
  const limits = {
    requests_per_minute: count('requestsPerMinute'),
    concurrent_jobs: count('concurrentJobs'),
    queued_jobs: count('queuedJobs'),
  };
  const budgets = draft.budgets.flatMap(({ window, dollars, soft }, i) => {
    if (dollars.trim() === '') return [];
    const amount = parseUsd(dollars);
    if (amount === null) wrong.push(`budget${i}`);
    return [{ window, limit_micro_usd: amount ?? 0, soft }];
  });
  const expiresAt = draft.expires === '' ? null : `${draft.expires}:00Z`;
  if (expiresAt !== null && !(Date.parse(expiresAt) > nowMs)) wrong.push('expires');
  const name = draft.name.trim();
  if (name === '') wrong.push('name');
  if (wrong.length > 0) return { wrong };
  const { scopes, models, presetsOnly } = draft;
  return {
    body: {
      name,
      ...(draft.tenant ? { tenant: draft.tenant } : {}),
      scopes,
      expires_at: expiresAt,
      limits,
      budgets,
      models: models.length > 0 ? models : null,
      presets_only: presetsOnly,
    },
  };
}

/**
 * Returns the fields that the user changed. The others are not sent, because the form shows some of them in a shorter form: an
 * expiry has no seconds there.
 */
export function changesOf(body: KeyBody, key: ManagedKey): Partial<KeyBody> {
  const shown = bodyOf(draftOf(key), 0);
  if ('wrong' in shown) return body;
  const before = new Map<string, unknown>(Object.entries(shown.body));
  return Object.fromEntries(
    Object.entries(body).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before.get(name)),
    ),
  );
}

/** Returns the budget that is used up most; null if there is none. A soft budget refuses nothing and comes last. */
export function tightestOf<Budget extends Spending>(spending: readonly Budget[]): Budget | null {
  const share = ({ spent_micro_usd, held_micro_usd, limit_micro_usd }: Budget) =>
    limit_micro_usd > 0 ? (spent_micro_usd + held_micro_usd) / limit_micro_usd : 1;
  const order = (budget: Budget) => (budget.soft ? 0 : 1_000) + share(budget);
  return [...spending].sort((a, b) => order(b) - order(a))[0] ?? null;
}

interface Spending {
  readonly soft: boolean;
  readonly limit_micro_usd: number;
  readonly spent_micro_usd: number;
  readonly held_micro_usd: number;
}
