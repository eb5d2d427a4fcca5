import { defineVariable, whole } from '../../lib/variable.ts';

const section = 'Limits and retention';

/** Variables of limits and retention. */
export const limits = {
  MAX_OPEN_JOBS: defineVariable({
    section,
    schema: whole(1, 100_000_000),
    fallback: '100000',
    about: 'Maximum number of unfinished jobs of one tenant.',
  }),
  MAX_STORED_JOBS: defineVariable({
    section,
    schema: whole(1, 1e12),
    fallback: '2000000',
    about: 'Maximum number of job records of one tenant in Redis, ended jobs and tombstones included.',
  }),
  MAX_STORED_BYTES: defineVariable({
    section,
    schema: whole(1, 1e15),
    fallback: '8589934592',
    about: 'Maximum size of all job records of one tenant in Redis, in bytes.',
  }),
  MAX_OPEN_STREAMS: defineVariable({
    section,
    schema: whole(1, 20_000),
    fallback: '10000',
    about:
      'Maximum number of open event streams and long polls of one tenant in one process. Further streams get 429; further long polls do not wait.',
  }),
  MODERATION_MAX_BLOCKS: defineVariable({
    section,
    schema: whole(0, 1_000_000),
    fallback: '20',
    about:
      'Number of prompts that the moderation of the provider may block within MODERATION_WINDOW_S before their tenant is throttled. 0: never throttled.',
  }),
  MODERATION_WINDOW_S: defineVariable({
    section,
    schema: whole(1, 2_592_000),
    fallback: '600',
    about: 'Window in which blocked prompts are counted, in seconds.',
  }),
  MODERATION_THROTTLE_S: defineVariable({
    section,
    schema: whole(1, 2_592_000),
    fallback: '900',
    about: 'How long a throttled tenant gets no new jobs and its waiting jobs make no calls, in seconds.',
  }),
  REDIS_MAX_MEMORY_PERCENT: defineVariable({
    section,
    schema: whole(1, 100),
    fallback: '90',
    about:
      'Part of `maxmemory` of Redis, in percent, from which on new work is refused with `store_full`, so that running work can end. 100 switches the refusal off.',
  }),
  MEDIA_TTL_S: defineVariable({
    section,
    schema: whole(60, 315_360_000),
    fallback: '2592000',
    about: 'Maximum retention of images, in seconds. Requests may choose less.',
  }),
  RECORD_TTL_S: defineVariable({
    section,
    schema: whole(60, 315_360_000),
    fallback: '7776000',
    about: 'Maximum retention of records, in seconds. Requests may choose less.',
  }),
  FREE_RECORD_TTL_S: defineVariable({
    section,
    schema: whole(60, 315_360_000),
    fallback: '604800',
    about:
      'Maximum retention of the records of jobs that made no paid call, in seconds. Such jobs cost their caller nothing, so they must not fill Redis.',
  }),
  AUDIT_TTL_S: defineVariable({
    section,
    schema: whole(60, 315_360_000),
    fallback: '31536000',
    about: 'Retention of entries of the audit log, in seconds.',
  }),
  LINK_TTL_S: defineVariable({
    section,
    schema: whole(60, 604_800),
    fallback: '3600',
    about:
      'Lifetime of links in responses, in seconds, at most until their image is deleted. The links of an image stay the same for a quarter of it, at most 15 minutes, so that caches can keep the image. A new link therefore works for at least three quarters of it. Links in webhooks work for 7 days, less at most 15 minutes.',
  }),
};
