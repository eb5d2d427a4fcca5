import { z } from 'zod';
import { withoutTrailingSlashes } from '../../lib/trim-slashes.ts';
import { defineVariable, list, shownUrl, text, whole } from '../../lib/variable.ts';
import { origins, proxies } from '../values.ts';

const section = 'Serving';

export const roles = ['api', 'worker', 'webhooks'] as const;
export type Role = (typeof roles)[number];

/** Variables of the HTTP server and the process. */
export const serving = {
  HOST: defineVariable({
    section,
    schema: text,
    fallback: '0.0.0.0',
    devFallback: '127.0.0.1',
    about: 'Address to listen on.',
  }),
  PORT: defineVariable({
    section,
    schema: whole(0, 65_535),
    fallback: '8080',
    about: 'Port to listen on. 0 selects a free one.',
  }),
  ROLES: defineVariable({
    section,
    schema: list.pipe(z.array(z.enum([...roles, 'all'])).min(1)),
    fallback: 'all',
    about: 'Parts that this process runs: `api`, `worker`, `webhooks`, comma-separated, or `all`.',
  }),
  PUBLIC_URL: defineVariable({
    section,
    schema: shownUrl
      .regex(/^[^?]*$/, 'must be an address without a query, because paths are appended')
      .transform(withoutTrailingSlashes),
    about:
      'Address under which callers reach Darkroom. If absent, links use the address of each request, and links in webhooks use the address of the request that created the job.',
  }),
  LOG_LEVEL: defineVariable({
    section,
    schema: z.enum(['silent', 'error', 'warn', 'info', 'debug']),
    fallback: 'info',
    devFallback: 'warn',
    about: '`silent`, `error`, `warn`, `info` or `debug`.',
  }),
  TRUST_PROXY: defineVariable({
    section,
    schema: proxies,
    about:
      'Addresses or networks of proxies with trusted X-Forwarded headers, comma-separated. Without it all callers behind a proxy have its address, in the audit log and for the limit of unknown API keys.',
  }),
  CORS_ORIGINS: defineVariable({
    section,
    schema: origins,
    about:
      'Origins that browsers may call from, such as `https://app.example.com`, comma-separated. There is no wildcard. CORS is off if absent.',
  }),
  SHUTDOWN_GRACE_S: defineVariable({
    section,
    schema: whole(0, 3600),
    fallback: '30',
    devFallback: '3',
    about: 'Time for running work after SIGTERM, in seconds. Then the work returns to the queue.',
  }),
};
