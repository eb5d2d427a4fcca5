import { type JsonSchema, namedJsonSchemas } from '../json-schema.ts';
import { openAiSchemas } from '../openai-v1/response-schemas.ts';
import { accessSchemas } from './access.ts';
import { catalogueSchemas } from './catalogue.ts';
import { eventSchemas } from './events.ts';
import { jobSchemas } from './jobs.ts';
import { operationSchemas } from './operations.ts';
import { problemSchemas } from './problem.ts';
import { uploadSchemas } from './uploads.ts';
import { usageSchemas } from './usage.ts';
import { webhookSchemas } from './webhooks.ts';

/**
 * Named schemas of the OpenAPI document, converted from zod schemas to JSON Schema. The server validates with the same
 * JSON Schemas that the document shows.
 */
export const components: Record<string, JsonSchema> = namedJsonSchemas([
  jobSchemas,
  uploadSchemas,
  eventSchemas,
  webhookSchemas,
  accessSchemas,
  usageSchemas,
  operationSchemas,
  catalogueSchemas,
  problemSchemas,
  openAiSchemas,
]);
