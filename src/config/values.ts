import { z } from 'zod';
import { list } from '../lib/variable.ts';

/** Schemas of environment variables that only the configuration uses, and the messages for invalid values. */

/** Returns the message for an issue if its schema has none. */
export function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  const unit = issue.origin === 'string' ? ' characters' : '';
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${unit}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${unit}`;
  return undefined;
}

const proxy = z.union([
  z.ipv4(),
  z.ipv6(),
  z.cidrv4(),
  z.cidrv6(),
  z.enum(['loopback', 'linklocal', 'uniquelocal']),
]);
/** Fastify refuses networks of all addresses. */
const isProxy = (entry: string) => proxy.safeParse(entry).success && !entry.endsWith('/0');

/** Trusted proxies: addresses, networks, and Fastify's names for some of them. */
export const proxies = list.pipe(
  z.array(
    z.string().refine(isProxy, {
      error: ({ input }) =>
        `${input} must be an address as 10.0.0.7, a network as 10.0.0.0/8, loopback, linklocal or uniquelocal`,
    }),
  ),
);

/** A key of 32 bytes. */
export const secretsKey = z
  .string()
  .transform((value) => Buffer.from(value, 'base64'))
  .refine(
    (bytes) => bytes.length === 32,
    'must be 32 bytes in base64, for example from: openssl rand -base64 32',
  );

/** `tenant:key` pairs. A key may contain colons. No key belongs to two tenants. */
export const apiKeys = list
  .pipe(
    z.array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}:(?:(?!['"`])[\x21-\x7e])+$/,
          'must be tenant:key, the key without spaces, quotes and characters outside ASCII',
        )
        .transform((entry) => ({
          tenant: entry.slice(0, entry.indexOf(':')),
          key: entry.slice(entry.indexOf(':') + 1),
        })),
    ),
  )
  .superRefine((entries, context) => {
    const owners = new Map<string, string>();
    for (const { tenant, key } of entries) {
      const owner = owners.get(key) ?? tenant;
      owners.set(key, owner);
      if (owner === tenant) continue;
      const message = `${owner} and ${tenant} have the same key. Set a different key for every tenant`;
      context.addIssue({ code: 'custom', message });
    }
  });

/**
 * Origins as browsers send them. An `http:` or `https:` origin is normalized, so a slash at its end and a default port are
 * removed. Apps and extensions have schemes of their own.
 */
export const origins = list.pipe(
  z.array(
    z.string().transform((entry, context) => {
      const origin = originOf(entry);
      if (origin !== null) return origin;
      const message = `${entry} must be an origin as https://app.example.com, without path and wildcard`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
  ),
);

function originOf(entry: string): string | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*\\]+\/?$/i.test(entry) || !URL.canParse(entry)) return null;
  const { protocol, origin } = new URL(entry);
  return /^https?:$/.test(protocol) ? origin : entry.replace(/\/$/, '');
}

/** `name=model` pairs: the model for a name that clients send. No name has two models. */
export const modelMap = list
  .pipe(
    z.array(
      z
        .string()
        .regex(/^[^=\s]{1,128}=[^=\s]{1,128}$/, 'must be name=model')
        .transform((entry) => ({
          name: entry.slice(0, entry.indexOf('=')),
          model: entry.slice(entry.indexOf('=') + 1),
        })),
    ),
  )
  .superRefine((entries, context) => {
    const names = new Set<string>();
    for (const { name } of entries) {
      if (names.has(name)) context.addIssue({ code: 'custom', message: `${name} has two models` });
      names.add(name);
    }
  });

/** Keys of metadata that queries of usage can name. */
export const metadataKeys = list.pipe(
  z
    .array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9_-]{1,64}$/,
          'must be metadata keys of letters, digits, _ and -, at most 64 characters each',
        ),
    )
    .max(4, 'must be at most 4 keys')
    .transform((keys) => [...new Set(keys)]),
);
