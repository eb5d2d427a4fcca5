/** Paths of the OpenAI API without `/v1`. The native API uses none of them, so a base URL may omit `/v1`. */
const withoutPrefix =
  /^\/(images\/(generations|edits|variations)|models\/[^/?]+|files(\/upl_[^/?]+)?)\/?(?=\?|$)/;

/** A list of models without `/v1`. The native API has the same path, which no client with a slash too many means. */
const modelList = /^\/models\/?(?=\?|$)/;

/**
 * Rewrites the path of an OpenAI client: a base URL works with and without `/v1` and with slashes at its end, also if the
 * client adds `/v1` a second time. A slash at the end of the whole path stays.
 *
 * @returns the path of the route, with the query
 */
export function rewriteOpenAiPath(url: string): string {
  const plain = url.replace(/^[^?]*/, (path) => path.replace(/\/+/g, '/')).replace(/^\/v1(?=\/v1\/)/, '');
  if (plain.startsWith('/v1/')) return plain;
  const isOpenAi = withoutPrefix.test(plain) || (url.startsWith('//') && modelList.test(plain));
  return isOpenAi ? `/v1${plain}` : url;
}
