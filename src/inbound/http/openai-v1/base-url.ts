/** Paths of the OpenAI API without `/v1`. The native API uses none of them, so a base URL may omit `/v1`. */
const withoutPrefix =
  /^\/(images\/(generations|edits|variations)|models\/[^/?]+|files(\/upl_[^/?]+)?)\/?(?=\?|$)/;

/** A list of models without `/v1`. The native API has the same path, which no client with a slash too many means. */
const modelList = /^\/models\/?(?=\?|$)/;

/** Returns a path in which slashes and `/v1` do not repeat. */
function withoutRepeats(url: string): string {
  const single = url.includes('//') ? url.replace(/^[^?]*/, (path) => path.replace(/\/+/g, '/')) : url;
  return single.startsWith('/v1/v1/') ? single.slice('/v1'.length) : single;
}

/**
 * Rewrites the path of an OpenAI client: a base URL works with and without `/v1` and with slashes at its end, also if the
 * client adds `/v1` a second time. A slash at the end of the whole path stays.
 *
 * @returns the path of the route, with the query
 */
export function rewriteOpenAiPath(url: string): string {
  const plain = withoutRepeats(url);
  if (plain.startsWith('/v1/')) return plain;
  const isOpenAi = withoutPrefix.test(plain) || (url.startsWith('//') && modelList.test(plain));
  return isOpenAi ? `/v1${plain}` : url;
}
