import type { ImageJob } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { ProviderFailure } from '../../domain/ports.ts';

/** The provider and the model of a call. */
export interface CallTarget {
  readonly provider: string;
  readonly model: string;
  /** The tenant whose caller chose options that only the provider knows, see `optionsOwnerOf`. */
  readonly optionsOf?: string | undefined;
}

/** Returns the breaker scope of a provider's account. */
const accountScope = (provider: string): string => `${provider}:account`;

/** Returns the breaker scope of a model, which is the same for each of its names. */
const modelScope = ({ provider, model }: CallTarget, catalogue: ModelCatalogue): string =>
  `${provider}:model:${catalogue.find(model)?.id ?? model}`;

/** Whether a scope covers the calls of one tenant only. Its name contains that of the tenant. */
export const isOfOneTenant = (scope: string): boolean => scope.includes(':options:');

/** Returns the breaker scope of a tenant's calls of a model with options that only the provider knows. */
const optionsScope = (target: CallTarget, tenant: string, catalogue: ModelCatalogue): string =>
  `${modelScope(target, catalogue)}:options:${tenant}`;

/**
 * Returns the scopes of a call. The account comes last, so that a job that its model blocks does not take the account's
 * probe. The narrowest scope comes first for the same reason.
 */
export const scopesOfCall = (target: CallTarget, catalogue: ModelCatalogue): readonly string[] => [
  ...(target.optionsOf === undefined ? [] : [optionsScope(target, target.optionsOf, catalogue)]),
  modelScope(target, catalogue),
  accountScope(target.provider),
];

/**
 * Returns the tenant of a job if its caller chose options of its calls that only the provider knows. The provider may refuse
 * such an option like the key of the account, or like a rate limit: OpenAI does so if `service_tier` has no capacity.
 */
export const optionsOwnerOf = ({
  request,
  tenant,
}: Pick<ImageJob, 'request' | 'tenant'>): string | undefined =>
  Object.keys(request?.provider_options ?? {}).some((name) => name !== 'user') ? tenant : undefined;

/**
 * Returns the scope that a failure blocks. `null` if it concerns one call only. No option of a caller may block the account or
 * a model for all tenants. A rejected account is taken from calls without such options, and a request to wait blocks the calls
 * of the tenant that have some.
 */
export function scopeOfFailure(
  failure: ProviderFailure,
  target: CallTarget,
  catalogue: ModelCatalogue,
): string | null {
  if (failure.kind === 'stopped')
    return target.optionsOf === undefined ? accountScope(target.provider) : null;
  const asksToWait = failure.code === 'provider_rate_limited' || failure.retryAfterMs !== undefined;
  if (failure.kind !== 'refused' || !asksToWait) return null;
  const [narrowest = null] = scopesOfCall(target, catalogue);
  return narrowest;
}

/** Returns whether a text is the scope of an account, a model, or options of a model, of one of the providers. */
export function isKnownScope(
  scope: string,
  providers: readonly string[],
  catalogue: ModelCatalogue,
): boolean {
  const provider = providers.find((name) => scope.startsWith(`${name}:`));
  if (provider === undefined) return false;
  if (scope === accountScope(provider)) return true;
  const [, model] = /^:model:(.+?)(?::options:[^:]+)?$/s.exec(scope.slice(provider.length)) ?? [];
  return model !== undefined && (catalogue.find(model)?.id === model || catalogue.textPrices(model) !== null);
}
