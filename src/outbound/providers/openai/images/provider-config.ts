import type { Clock } from '../../../../domain/ports.ts';
import type { DecodeLimits } from './decode-response-body.ts';

/** What every way of calling OpenAI's API needs. */
export interface OpenAIProviderConfig {
  /** Name of the provider in the registry. */
  readonly name: string;
  readonly apiKey: string;
  /** Address of an API that speaks OpenAI's language, with its version; OpenAI's own by default. */
  readonly baseUrl?: string | undefined;
  /** Proxy for all calls. Default: direct calls. */
  readonly proxy?: string | undefined;
  /** Largest answer taken, as sent; 128 MiB by default, which is an image of 96 MiB. */
  readonly maxResponseBytes?: number | undefined;
  /** Most pixels an image may have; 64 million by default. */
  readonly maxPixels?: number | undefined;
  readonly clock?: Clock | undefined;
}

const defaultMaxResponseBytes = 128 * 1024 * 1024;
const defaultMaxPixels = 64_000_000;

/** The limits of a configuration, with what holds where it names none. */
export function limitsOf(config: Pick<OpenAIProviderConfig, 'maxResponseBytes' | 'maxPixels'>): DecodeLimits {
  return {
    maxResponseBytes: config.maxResponseBytes ?? defaultMaxResponseBytes,
    maxPixels: config.maxPixels ?? defaultMaxPixels,
  };
}
