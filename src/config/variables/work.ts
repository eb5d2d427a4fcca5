import { defineVariable, truth, whole } from '../../lib/variable.ts';

const section = 'Work';

/** Variables of workers. */
export const work = {
  WORKER_CONCURRENCY: defineVariable({
    section,
    schema: whole(1, 1000),
    fallback: '8',
    about: 'Maximum number of jobs that one worker runs at the same time.',
  }),
  WEBHOOK_CONCURRENCY: defineVariable({
    section,
    schema: whole(1, 1000),
    fallback: '128',
    about:
      'Maximum number of destinations that one webhook worker serves at the same time, each with a few connections. One tenant uses at most as many as are free: alone half of them, beside another one a third.',
  }),
  THUMBNAILS: defineVariable({
    section,
    schema: truth,
    fallback: 'true',
    about:
      'Makes a thumbnail and a placeholder of every image after its job has succeeded. A thumbnail costs about 60 ms of a core.',
  }),
  QUEUE_TTL_S: defineVariable({
    section,
    schema: whole(1, 604_800),
    fallback: '86400',
    about: 'Maximum time of a job in the queue, in seconds, if the request has none. The job then expires.',
  }),
  RUN_TIMEOUT_S: defineVariable({
    section,
    schema: whole(1, 7200),
    fallback: '1800',
    about: 'Maximum running time of a job, in seconds, if the request has none. The job then fails.',
  }),
};
