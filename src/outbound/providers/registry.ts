import type { FindDecoder } from '../../domain/ports.ts';
import type { ValuesOf } from '../../lib/variable.ts';
import { openai } from './openai/openai.ts';
import { studio } from './studio/studio.ts';

export type { OpenProvider } from './provider-definition.ts';
export { providerSection } from './provider-definition.ts';

/**
 * Every provider that PROVIDER can select. A new provider needs one folder and one line here. If PROVIDER is absent, the
 * first provider that the other variables imply is selected.
 */
export const providers = [openai, studio] as const;

export type ProviderName = (typeof providers)[number]['name'];

export const providerNames = providers.map(({ name }) => name) as [ProviderName, ...ProviderName[]];

/** The environment variables of all providers. */
export const providerVariables = { ...openai.variables, ...studio.variables };

type ProviderValues = ValuesOf<typeof providerVariables>;

/** Returns the provider with a name. */
export function providerNamed(name: ProviderName): (typeof providers)[number] {
  const found = providers.find((provider) => provider.name === name);
  if (!found) throw new Error(`unknown provider ${name}`);
  return found;
}

/** Returns the provider that the configuration selects. */
export function selectedProvider(
  values: ProviderValues & { readonly PROVIDER: ProviderName | undefined },
): (typeof providers)[number] {
  if (values.PROVIDER) return providerNamed(values.PROVIDER);
  return providers.find(({ isImpliedBy }) => isImpliedBy(values)) ?? studio;
}

/** Finds the decoder of a provider's responses, regardless of the provider that the configuration selects. */
export const findDecoder: FindDecoder = (name) =>
  providers.find((provider) => provider.name === name)?.decode;
