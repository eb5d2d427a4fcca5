import { z } from 'zod';
import { errorCodes } from './errors.ts';

/** State of a part of the deployment. */
export const partStates = ['ok', 'degraded', 'down', 'unknown'] as const;
export type PartState = (typeof partStates)[number];

export const breakerStates = ['open', 'half_open'] as const;

const part = {
  state: z.enum(partStates),
  detail: z
    .string()
    .nullable()
    .describe('Fault and action, or a note; `null` if there is nothing to say. Without secrets.'),
};

const count = (description: string) => z.int().nullable().describe(`${description} \`null\`: unknown.`);
const seconds = (description: string) => z.number().nullable().describe(`${description} \`null\`: unknown.`);
const milliseconds = z
  .number()
  .nullable()
  .describe('Time until the response, in milliseconds. `null` without one.');

export const QueueStatus = z
  .object({
    ...part,
    waiting: count('Tasks of jobs that wait for a slot.'),
    delayed: count('Tasks of jobs that continue later.'),
    active: count('Tasks of jobs that have a slot.'),
    oldest_queued_s: seconds('Age of the oldest queued job, in seconds; 0 without one.'),
    oldest_running_s: seconds('Time since the creation of the oldest running job; 0 without one.'),
  })
  .describe('The queue of jobs.');

export const WorkerStatus = z
  .object({
    id: z.string().describe('Name of the process, different after every start.'),
    host: z.string().nullable(),
    release: z.string().nullable(),
    slots: z.int().describe('Maximum number of concurrent jobs.'),
    running: z.int().describe('Jobs that the process runs.'),
    alive: z.boolean().describe('Whether the process reported within the last 5 seconds.'),
    last_seen_at: z.iso.datetime(),
  })
  .describe('A process that runs jobs.');

export const WorkersStatus = z
  .object({
    ...part,
    alive: count('Processes that run jobs.'),
    slots: count('Slots of the alive processes.'),
    running: count('Jobs that run on alive processes.'),
    data: z.array(WorkerStatus),
  })
  .describe('The processes that run jobs.');

export const BreakerStatus = z
  .object({
    scope: z.string().describe('Account or model of a provider, for example `openai:account`.'),
    state: z.enum(breakerStates).describe('`half_open`: the next call probes the provider.'),
    code: z.enum(errorCodes),
    reason: z.string(),
    opened_at: z.iso.datetime(),
    next_probe_at: z.iso.datetime(),
    until: z.iso
      .datetime()
      .nullable()
      .describe(
        'Time at which the breaker closes without a call; `null` if only a call or an operator closes it.',
      ),
    failures: z.int().describe('Consecutive failures.'),
  })
  .describe('An open circuit breaker of provider calls.');

export const BreakersStatus = z
  .object({ ...part, data: z.array(BreakerStatus) })
  .describe('The open circuit breakers.');

export const SpoolStatus = z
  .object({
    host: z.string(),
    folder: z.string(),
    files: z.int(),
    size_bytes: z.int(),
    limit_bytes: z.int().describe('Size at which provider calls stop.'),
    oldest_at: z.iso.datetime().nullable(),
    unknown_versions: z.array(z.int()),
  })
  .describe('The spool of one folder.');

export const SpoolsStatus = z
  .object({
    ...part,
    files: count('Provider responses that are not stored yet.'),
    size_bytes: count('Size of all files.'),
    oldest_at: z.iso.datetime().nullable().describe('Time of the oldest response; `null` without one.'),
    unknown_versions: z
      .array(z.int())
      .describe('Schema versions of responses that this release cannot read.'),
    data: z.array(SpoolStatus),
  })
  .describe('The spools of all workers.');

export const RedisStatus = z
  .object({
    ...part,
    version: z.string().nullable(),
    role: z.string().nullable().describe('`master` or `replica`.'),
    used_bytes: count('Used memory; on a cluster that of the fullest primary.'),
    max_bytes: z.int().nullable().describe('`maxmemory`; `null` without a limit.'),
    aof_enabled: z.boolean().nullable().describe('Whether an append-only file is written.'),
    latency_ms: milliseconds,
  })
  .describe('Redis, from the process that responds.');

export const StorageStatus = z
  .object({
    ...part,
    location: z.string().describe('Location of the images, without secrets.'),
    latency_ms: milliseconds,
  })
  .describe('The storage of images, from the process that responds.');

export const WebhooksStatus = z
  .object({
    ...part,
    waiting: count('Tasks that wait.'),
    delayed: count('Tasks that run later.'),
    active: count('Tasks that run.'),
    pending_deliveries: count('Deliveries that are neither delivered nor failed.'),
  })
  .describe('The backlog of webhooks.');

export const ProcessStatus = z
  .object({
    id: z.string(),
    host: z.string(),
    pid: z.int(),
    roles: z.array(z.string()),
    release: z.string(),
    node: z.string(),
    started_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime(),
  })
  .describe('A process of the deployment.');

export const VersionsStatus = z
  .object({
    ...part,
    release: z.string().describe('Release of the process that responds.'),
    node: z.string().describe('Version of Node.js of the process that responds.'),
    schemas: z
      .record(z.string(), z.int())
      .describe('Schema versions that this release writes, by kind of data.'),
    processes: z.array(ProcessStatus),
  })
  .describe('Releases and processes.');

export const SystemStatus = z.object({
  object: z.literal('system_status'),
  at: z.iso.datetime(),
  state: z.enum(partStates).describe('Worst state of all parts: `down`, `degraded`, `unknown`, `ok`.'),
  queue: QueueStatus,
  workers: WorkersStatus,
  circuit_breakers: BreakersStatus,
  spool: SpoolsStatus,
  redis: RedisStatus,
  storage: StorageStatus,
  webhooks: WebhooksStatus,
  versions: VersionsStatus,
});
export type SystemStatus = z.infer<typeof SystemStatus>;

const badness: readonly PartState[] = ['ok', 'unknown', 'degraded', 'down'];

/** Returns the worst of several states. */
export function worstState(states: readonly PartState[]): PartState {
  return badness[Math.max(...states.map((state) => badness.indexOf(state)))] ?? 'ok';
}
