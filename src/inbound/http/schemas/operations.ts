import { z } from 'zod';
import {
  BreakerStatus,
  BreakersStatus,
  breakerStates,
  ProcessStatus,
  partStates,
  QueueStatus,
  RedisStatus,
  SpoolStatus,
  SpoolsStatus,
  StorageStatus,
  SystemStatus,
  VersionsStatus,
  WebhooksStatus,
  WorkerStatus,
  WorkersStatus,
} from '../../../domain/system-status.ts';
import type { SchemaGroup } from '../json-schema.ts';

const ResumedScope = z
  .object({
    object: z.literal('circuit_breaker'),
    scope: z.string(),
    state: z.literal('closed'),
    was_open: z.boolean().describe('Whether this request closed the breaker.'),
  })
  .describe('A closed circuit breaker.');

/** Schemas of operations. */
export const operationSchemas: SchemaGroup = {
  responses: {
    SystemStatus,
    QueueStatus,
    WorkersStatus,
    WorkerStatus,
    BreakersStatus,
    BreakerStatus,
    SpoolsStatus,
    SpoolStatus,
    RedisStatus,
    StorageStatus,
    WebhooksStatus,
    VersionsStatus,
    ProcessStatus,
    ResumedScope,
  },
  values: {
    PartState: {
      values: partStates,
      description:
        'State of a part: it works, works with a restriction, does not work, or cannot be read because Redis does not reply.',
    },
    BreakerState: { values: breakerStates, description: 'State of a circuit breaker that blocks calls.' },
  },
  notes: {
    SystemStatus: {
      description:
        'Status of the whole deployment. Parts are independent: one that fails leaves the others readable.',
    },
  },
};
