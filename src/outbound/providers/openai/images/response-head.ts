import type { ResponseMeta } from '../../../../domain/ports.ts';
import { requestIdOf } from '../client/classify-failure.ts';

/** What the headers of an answer say. */
export function headOf(response: Response): ResponseMeta {
  const providerRequestId = requestIdOf((name) => response.headers.get(name));
  return providerRequestId === undefined ? {} : { providerRequestId };
}
