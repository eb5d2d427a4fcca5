import { z } from 'zod';
import { storedObject } from './stored.ts';

/** Content of a spool. */
export const SpoolState = storedObject({
  folder: z.string(),
  /** Complete responses. */
  files: z.int(),
  /** Size of all files, unfinished ones too. */
  bytes: z.int(),
  /** Size at which the spool accepts no further response. */
  limitBytes: z.int(),
  /** Time of the oldest complete response; `null` if there is none. */
  oldestAt: z.int().nullable(),
  /** Schema versions of responses that this release cannot read. */
  unknownVersions: z.array(z.int()),
});
export type SpoolState = z.infer<typeof SpoolState>;

/** Report of a process about itself. Every process writes one at intervals. */
export const ProcessState = storedObject({
  /** Name of the process, different after every start. */
  process: z.string(),
  /** Time of the report. */
  at: z.int(),
  startedAt: z.int(),
  host: z.string(),
  pid: z.int(),
  roles: z.array(z.string()),
  release: z.string(),
  node: z.string(),
  /** Absent if the process has no spool, or cannot read it. */
  spool: SpoolState.optional(),
  /** Reason why the spool cannot be read. */
  spoolFault: z.string().optional(),
});
export type ProcessState = z.infer<typeof ProcessState>;
