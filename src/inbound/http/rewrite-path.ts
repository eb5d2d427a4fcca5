import { rewriteOpenAiPath } from './openai-v1/base-url.ts';

/**
 * Returns the path of the route that a request means, with the query. A slash at the end has no meaning, except below
 * `/docs/api`, whose page has relative links.
 */
export function rewritePath(url: string): string {
  if (url.startsWith('/docs/api')) return url;
  return rewriteOpenAiPath(url).replace(/^([^?]+)\/(?=\?|$)/, '$1');
}
