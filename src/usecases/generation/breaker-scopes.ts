import type { ImageJob } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { ProviderFailure } from '../../domain/ports.ts';

/** The provider and the model of a call. */
export interface CallTarget {
  readonly provider: string;
  readonly model: string;
}

/** Returns the breaker scope of a provider's account. */
const accountScope = (provider: string): string => `${provider}:account`;

/** Returns the breaker scope of a model, which is the same for each of its names. */
const modelScope = ({ provider, model }: CallTarget, catalogue: ModelCatalogue): string =>
  `${provider}:model:${catalogue.find(model)?.id ?? model}`;

/**
 * Returns the scopes of a call. The account comes last, so that a job that its model blocks does not take the account's
 * probe.
 */
export const scopesOfCall = (target: CallTarget, catalogue: ModelCatalogue): readonly string[] => [
  modelScope(target, catalogue),
  accountScope(target.provider),
];

/**
 * Whether the caller of a job chose options of its calls that only the provider knows. A gateway may refuse such an option like
 * the key of the account.
 */
export const hasForeignOptions = ({ request }: Pick<ImageJob, 'request'>): boolean =>
  Object.keys(request?.provider_options ?? {}).some((name) => name !== 'user');

/** The target of a failed call. */
export interface FailedTarget extends CallTarget {
  /** Whether the call had options for which `hasForeignOptions`. */
  readonly hasForeignOptions: boolean;
}

/**
 * Returns the scope that a failure blocks. `null` if it concerns one call only. No option of a caller may block the account
 * for all tenants, so a rejected account is taken from calls without such options.
 */
export function scopeOfFailure(
  failure: ProviderFailure,
  target: FailedTarget,
  catalogue: ModelCatalogue,
): string | null {
  if (failure.kind === 'stopped') return target.hasForeignOptions ? null : accountScope(target.provider);
  const asksToWait = failure.code === 'provider_rate_limited' || failure.retryAfterMs !== undefined;
  return failure.kind === 'refused' && asksToWait ? modelScope(target, catalogue) : null;
}

/** Returns whether a text is the scope of an account or a model of one of the providers. */
export function isKnownScope(
  scope: string,
  providers: readonly string[],
  catalogue: ModelCatalogue,
): boolean {
  const provider = providers.find((name) => scope.startsWith(`${name}:`));
  if (provider === undefined) return false;
  if (scope === accountScope(provider)) return true;
  const [, model] = /^:model:(.+)$/s.exec(scope.slice(provider.length)) ?? [];
  return model !== undefined && (catalogue.find(model)?.id === model || catalogue.textPrices(model) !== null);
}
