import { type JsonSchema, namedJsonSchemas } from '../json-schema.ts';
import { openAiSchemas } from '../openai-v1/response-schemas.ts';
import { catalogueSchemas } from './catalogue.ts';
import { eventSchemas } from './events.ts';
import { jobSchemas } from './jobs.ts';
import { problemSchemas } from './problem.ts';
import { webhookSchemas } from './webhooks.ts';

/**
 * Named schemas of the OpenAPI document. zod is their source; the server validates with the JSON Schema that is made from
 * it, and the document shows the same.
 */
export const components: Record<string, JsonSchema> = namedJsonSchemas([
  jobSchemas,
  eventSchemas,
  webhookSchemas,
  catalogueSchemas,
  problemSchemas,
  openAiSchemas,
]);
