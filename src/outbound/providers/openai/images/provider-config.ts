import type { Clock, FetchLink } from '../../../../domain/ports.ts';
import type { DecodeLimits } from './decoded-response.ts';

/** Configuration that every mode of calling OpenAI's API needs. */
export interface OpenAIProviderConfig {
  /** Name of the provider in the registry. */
  readonly name: string;
  readonly apiKey: string;
  /** Address of a server that speaks OpenAI's API, including the version. Default: OpenAI's own address. */
  readonly baseUrl?: string | undefined;
  /** Proxy for all calls. Default: direct calls. */
  readonly proxy?: string | undefined;
  /** Maximum size of a response as sent, in bytes. Default 128 MiB, which is an image of 96 MiB. */
  readonly maxResponseBytes?: number | undefined;
  /** Maximum number of pixels of an image. Default 64 million. */
  readonly maxPixels?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Fetches links of models that send links. Default: links to the server itself only. */
  readonly fetchLink?: FetchLink | undefined;
}

const defaultMaxResponseBytes = 128 * 1024 * 1024;
const defaultMaxPixels = 64_000_000;

/** Returns the limits of a configuration, with defaults for absent values. */
export function limitsOf(config: Pick<OpenAIProviderConfig, 'maxResponseBytes' | 'maxPixels'>): DecodeLimits {
  return {
    maxResponseBytes: config.maxResponseBytes ?? defaultMaxResponseBytes,
    maxPixels: config.maxPixels ?? defaultMaxPixels,
  };
}
