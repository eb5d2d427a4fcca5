import type { ResponseMeta } from '../../../../domain/ports.ts';
import { requestIdOf } from '../client/classify-failure.ts';

/** Returns the facts that the headers of a response state. */
export function headOf(response: Response): ResponseMeta {
  const providerRequestId = requestIdOf((name) => response.headers.get(name));
  return providerRequestId === undefined ? {} : { providerRequestId };
}
