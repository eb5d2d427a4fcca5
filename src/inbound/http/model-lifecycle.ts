import { type ModelCatalogue, statusOn } from '../../domain/model-catalogue.ts';
import type { Clock } from '../../domain/ports.ts';
import { header } from './responses.ts';

/** Documentation of the headers. */
export const lifecycleHeaders = { deprecation: header.deprecation, sunset: header.sunset };

/** Function that returns the headers for a response that uses a model. They are empty unless the model is near its end. */
export type LifecycleHeadersOf = (model: string | undefined) => Record<string, string>;

/**
 * Creates the function that announces the end of models. `Deprecation` (RFC 9745) is the day of the provider's notice as a
 * Structured Fields date, `Sunset` (RFC 8594) the day of the shutdown as an HTTP date. Both days begin at 00:00 UTC.
 */
export function createLifecycleHeaders(deps: {
  readonly catalogue: Pick<ModelCatalogue, 'find'>;
  readonly clock: Clock;
}): LifecycleHeadersOf {
  return (name) => {
    const model = name === undefined ? undefined : deps.catalogue.find(name);
    if (!model || statusOn(model, deps.clock()) !== 'deprecated') return {};
    const { deprecated_at, shutdown_at } = model;
    return {
      ...(deprecated_at ? { deprecation: `@${Date.parse(deprecated_at) / 1000}` } : {}),
      ...(shutdown_at ? { sunset: new Date(shutdown_at).toUTCString() } : {}),
    };
  };
}
