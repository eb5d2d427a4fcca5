import { type Command, InvalidArgumentError, Option } from 'commander';
import { budgetWindows } from '../../domain/access-policy.ts';
import { type Scope, scopes } from '../../domain/api-key.ts';
import type { KeyBody } from '../../domain/key-body.ts';
import { type BudgetBody, maxMicroUsd } from '../../domain/policy-body.ts';
import { wholeNumber } from './numbers.ts';

const usualScopes: Scope[] = ['images:write', 'images:read', 'webhooks'];
const maxLimit = 1_000_000;

/** Options of `keys create`. */
export interface KeyOptions {
  tenant: string;
  name: string;
  scopes: Scope[];
  expiresInDays?: number;
  budget?: BudgetBody[];
  requestsPerMinute?: number;
  concurrentJobs?: number;
  queuedJobs?: number;
  models?: string[];
  presetsOnly?: boolean;
  json?: boolean;
}

/** Adds the options that describe a new key. */
export function addKeyOptions(command: Command): Command {
  return command
    .requiredOption('--tenant <tenant>', 'owner of the key and of all jobs made with it (required)')
    .option('--name <name>', 'purpose of the key', 'unnamed')
    .addOption(
      new Option('--scopes <list>', `comma-separated: ${scopes.join(', ')}`)
        .argParser(parseScopes)
        .default(usualScopes, usualScopes.join(',')),
    )
    .option(
      '--expires-in-days <days>',
      'lifetime in days, for example 90 or 0.5; default unlimited',
      parseDays,
    )
    .option(
      '--budget <window=micro-usd>',
      `hard budget, for example day=1000000 for one dollar a day; windows: ${budgetWindows.join(', ')}; repeatable`,
      parseBudget,
    )
    .option('--requests-per-minute <n>', 'maximum number of requests per minute', wholeNumber(1, maxLimit))
    .option('--concurrent-jobs <n>', 'maximum number of running jobs', wholeNumber(1, maxLimit))
    .option('--queued-jobs <n>', 'maximum number of waiting jobs', wholeNumber(1, maxLimit))
    .option('--models <list>', 'comma-separated: only these models', (text) => text.split(','))
    .option('--presets-only', 'refuse requests without a preset');
}

/** Returns the body that the options describe. */
export function keyBodyOf(options: KeyOptions, nowMs: number): KeyBody {
  const { tenant, name, scopes: given, expiresInDays, budget, models, presetsOnly } = options;
  const { requestsPerMinute, concurrentJobs, queuedJobs } = options;
  const dayMs = 86_400_000;
  return {
    ...{ tenant, name, scopes: given },
    ...(expiresInDays
      ? { expires_at: new Date(Math.ceil(nowMs + expiresInDays * dayMs)).toISOString() }
      : {}),
    ...(budget ? { budgets: budget } : {}),
    limits: {
      requests_per_minute: requestsPerMinute,
      concurrent_jobs: concurrentJobs,
      queued_jobs: queuedJobs,
    },
    ...(models ? { models } : {}),
    ...(presetsOnly ? { presets_only: true } : {}),
  };
}

function parseScopes(text: string): Scope[] {
  return text.split(',').map((item) => {
    const scope = scopes.find((each) => each === item.trim());
    if (!scope) throw new InvalidArgumentError(`${item.trim()} is not one of ${scopes.join(', ')}.`);
    return scope;
  });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!/^[0-9.]+$/.test(text) || !(days > 0 && days <= 3650)) {
    throw new InvalidArgumentError('It must be a number of days up to 3650, for example 90 or 0.5.');
  }
  return days;
}

function parseBudget(text: string, earlier: BudgetBody[] = []): BudgetBody[] {
  const [name, amount = ''] = text.split('=');
  const window = budgetWindows.find((each) => each === name);
  if (!window || !/^\d{1,16}$/.test(amount) || Number(amount) > maxMicroUsd) {
    throw new InvalidArgumentError(
      `It must be a window and an amount in micro-USD, for example day=1000000. Windows: ${budgetWindows.join(', ')}.`,
    );
  }
  return [...earlier, { window, limit_micro_usd: Number(amount) }];
}
