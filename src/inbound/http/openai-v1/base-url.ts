/** Paths of the OpenAI API without `/v1`. The native API uses none of them, so a base URL may omit `/v1`. */
const withoutPrefix =
  /^\/(images\/(generations|edits|variations)|models\/[^/?]+|files(\/upl_[^/?]+)?)\/?(?=\?|$)/;

/**
 * Rewrites the path of an OpenAI client: a base URL works with and without `/v1` and with a trailing slash. A slash at the
 * end of the whole path stays.
 *
 * @returns the path of the route, with the query
 */
export function rewriteOpenAiPath(url: string): string {
  if (url.startsWith('/v1')) return url.replace(/^[^?]*/, (path) => path.replace(/\/+/g, '/'));
  return withoutPrefix.test(url) ? `/v1${url}` : url;
}
