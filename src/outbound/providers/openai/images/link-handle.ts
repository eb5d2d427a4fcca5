import { z } from 'zod';
import type { ResponseMeta } from '../../../../domain/ports.ts';

const prefix = 'links:';
const Content = z.object({ response: z.string(), providerRequestId: z.string().optional() });

/**
 * Returns the handle of a call whose response holds links. It contains the response, so any worker can fetch the image without
 * another call, as long as the link works.
 */
export const linkHandle = ({ providerRequestId }: ResponseMeta, response: string): string =>
  `${prefix}${JSON.stringify({ response, providerRequestId })}`;

/** Returns head and body of the response in a handle; `null` for the handle of another kind of call. */
export function responseInHandle(handle: string): { head: ResponseMeta; body: string } | null {
  if (!handle.startsWith(prefix)) return null;
  const { response, ...head } = Content.parse(JSON.parse(handle.slice(prefix.length)));
  return { head, body: response };
}
