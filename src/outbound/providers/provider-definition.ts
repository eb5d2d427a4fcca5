import type { RefusedInputs } from '../../domain/input-image.ts';
import type { Clock, DecodeResponse, FetchLink, ImageProvider, PromptEnhancer } from '../../domain/ports.ts';
import type { ValuesOf, VariableSet } from '../../lib/variable.ts';

export const providerSection = 'Provider';

/** Dependencies that every provider receives. */
export interface ProviderDeps {
  readonly clock: Clock;
  /** Model that expands prompts (ENHANCE_MODEL). */
  readonly enhanceModel: string;
  /** Address of the offline server that this process runs, if it runs one. */
  readonly studioUrl?: string | undefined;
  /** Returns the proxy for calls to an address, or `undefined` for direct calls. */
  readonly proxyFor: (address: string) => string | undefined;
  /** Fetches the links of models that send links. */
  readonly fetchLink?: FetchLink | undefined;
}

/** A configured provider that holds connections until it is closed. */
export interface OpenProvider {
  readonly images: ImageProvider;
  readonly enhancer: PromptEnhancer;
  /** Proxy of its calls, if any. */
  readonly proxy: string | undefined;
  /**
   * Calls a free endpoint to verify address and key.
   *
   * @returns the result as text for the operator.
   * @throws ProviderError
   */
  probe(): Promise<string>;
  /** Aborts calls in flight and closes every connection. */
  close(): Promise<void>;
}

/** Context in which the variables of a provider are checked. */
export interface CheckOptions {
  readonly isSelected: boolean;
  /** Whether this process makes calls. Other processes need no key. */
  readonly makesCalls: boolean;
}

/** An entry of the provider registry. */
export interface ProviderDefinition<Set extends VariableSet> {
  /** Value of PROVIDER that selects this provider. Attempts, spooled responses, breaker scopes and metrics carry it. */
  readonly name: string;
  /** Whether its images are real. False if they are drawn offline and nothing is charged. */
  readonly isLive: boolean;
  /** Environment variables of this provider. */
  readonly variables: Set;
  /** Whether the variables select this provider if PROVIDER is absent. */
  readonly isImpliedBy: (values: ValuesOf<Set>) => boolean;
  /** Whether this process has to run the offline server for the provider. */
  readonly needsStudio: (values: ValuesOf<Set>) => boolean;
  /** Inputs of edits that the configured provider never takes, each with the reason and the remedy. */
  readonly refusedInputs: (values: ValuesOf<Set>) => RefusedInputs;
  /**
   * Opens the provider. Makes no network call. Imports the client of the provider, which other commands do not need and
   * which takes a quarter of a second to load.
   */
  readonly create: (values: ValuesOf<Set>, deps: ProviderDeps) => Promise<OpenProvider>;
  /** Returns the faults of the configuration, each as `NAME: reason`. */
  readonly check: (values: ValuesOf<Set>, options: CheckOptions) => string[];
  /** Returns a short description of the called server, without secrets. */
  readonly describe: (values: ValuesOf<Set>) => string;
  /** Decodes responses of this provider, even if it is not configured any more. */
  readonly decode: DecodeResponse;
}

/** Returns the definition with its literal types. */
export const defineProvider = <Set extends VariableSet, const Definition extends ProviderDefinition<Set>>(
  definition: Definition & { readonly variables: Set },
): Definition => definition;
