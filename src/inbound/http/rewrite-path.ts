import { rewriteOpenAiPath } from './openai-v1/base-url.ts';

/**
 * Returns the path of the route that a request means, with the query. A slash at the end has no meaning, except below
 * `/docs/api`, whose page has relative links.
 */
export function rewritePath(url: string): string {
  if (url.startsWith('/docs/api')) return url;
  const path = rewriteOpenAiPath(url);
  // The page says that the screen is unknown, which people can read.
  if (path.startsWith('/console/') && !isDecodable(path)) return '/console';
  // Most paths have no slash at their end, and the pattern would read each of them twice.
  return path.endsWith('/') || path.includes('/?') ? path.replace(/^([^?]+)\/(?=\?|$)/, '$1') : path;
}

function isDecodable(path: string): boolean {
  try {
    decodeURI(path);
    return true;
  } catch {
    return false;
  }
}
