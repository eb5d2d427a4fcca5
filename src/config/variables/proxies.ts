import { defineVariable, text, url } from '../../lib/variable.ts';

const section = 'Provider';

/** Variables of the proxies for calls to the provider and to S3. Webhooks never use a proxy. */
export const proxies = {
  HTTPS_PROXY: defineVariable({
    section,
    otherName: 'https_proxy',
    schema: url,
    secret: true,
    about:
      'Proxy for https calls to the provider and to S3. Webhooks never use it. Also read as `https_proxy`.',
  }),
  HTTP_PROXY: defineVariable({
    section,
    otherName: 'http_proxy',
    schema: url,
    secret: true,
    about:
      'Proxy for http calls to the provider and to S3. Webhooks never use it. Also read as `http_proxy`.',
  }),
  NO_PROXY: defineVariable({
    section,
    otherName: 'no_proxy',
    schema: text,
    about:
      'Hosts that are called without the proxy, comma-separated: `host`, `host:port`, `.domain`, a network as `10.0.0.0/8`, or `*`. Loopback addresses never use a proxy. Also read as `no_proxy`.',
  }),
};
