import { z } from 'zod';
import { parseRedisTarget } from '../../lib/redis/redis-target.ts';
import { defineVariable, readBy, text, truth, whole } from '../../lib/variable.ts';

const section = 'Redis and data';

/** Variables of Redis and the data folder. */
export const redis = {
  REDIS_URL: defineVariable({
    section,
    schema: readBy((value) => parseRedisTarget(value)),
    secret: true,
    about:
      '`redis://`, `rediss://`, a socket path, or several hosts of a cluster. If absent, `darkroom dev` starts its own Redis; other commands need this variable.',
  }),
  REDIS_CLUSTER: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    about: 'Whether REDIS_URL is a cluster.',
  }),
  REQUIRE_AOF: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    about:
      'Whether Redis must write an append-only file. Without one `/readyz` is then 503 and workers take no job.',
  }),
  REDIS_KEY_PREFIX: defineVariable({
    section,
    schema: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes'),
    fallback: 'darkroom',
    about: 'Prefix of every key, so that deployments can share a Redis.',
  }),
  REDIS_SERVER_BIN: defineVariable({
    section,
    schema: text,
    about: 'Path of the redis-server or valkey-server that `dev` starts.',
  }),
  DATA_DIR: defineVariable({
    section,
    schema: text,
    fallback: './.darkroom',
    about:
      'Folder of the embedded data, the file storage and the spool of paid responses. Use a durable disk.',
  }),
  SPOOL_MAX_BYTES: defineVariable({
    section,
    schema: whole(1, 1e15),
    fallback: '4294967296',
    about: 'Size of the spool in bytes at which the worker stops new calls until responses are stored.',
  }),
};
