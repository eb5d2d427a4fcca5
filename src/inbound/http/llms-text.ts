import type { DocsPage } from './docs/pages.ts';
import type { JsonSchema } from './json-schema.ts';

/** A tool of the Model Context Protocol, as far as an agent chooses by it. */
export interface ToolSummary {
  readonly name: string;
  readonly description: string;
}

interface Content {
  readonly publicUrl: string;
  /** The OpenAPI document. */
  readonly document: JsonSchema;
  readonly tools: readonly ToolSummary[];
  /** Pages of the documentation. */
  readonly pages: readonly DocsPage[];
}

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Tags of operations that programs of callers use. */
const listedTags = ['images', 'uploads', 'catalogue', 'openai', 'webhooks', 'keys', 'usage'];

/**
 * Returns `/llms.txt`: a description of the service for language models. The tools and the operations come from the running
 * service, so that the text never differs from it.
 */
export function llmsText({ publicUrl, document, tools, pages }: Content): string {
  return `# Darkroom

> Darkroom generates and edits images through an HTTP API and a server of the Model Context Protocol. Every request becomes a durable job:
> no job is lost and no image is paid twice. Costs are integer micro-USD (1000000 = 1 USD), and an unknown cost is null, never 0.

Every call needs \`Authorization: Bearer <key>\`. The owner of the service gives out keys; a key has scopes, limits and budgets.

## For agents

- [Model Context Protocol](${publicUrl}/mcp): Streamable HTTP, no session. Send the key as a bearer token. Tools:
${tools.map(({ name, description }) => `  - \`${name}\`: ${description}`).join('\n')}

## For programs

1. Send \`POST /images\` with \`{"prompt": "..."}\` and a new \`Idempotency-Key\`. The response is 202 with the job, or 200 with the images if you send
   \`Prefer: wait=55\` and they are ready in time. Repeat a failed or cut request with the same key: it returns the same job and costs nothing.
2. Wait with \`GET /images/{id}?wait=55\` until \`status\` is \`succeeded\`, \`failed\`, \`canceled\` or \`expired\`. Or read the stream
   \`GET /images/{id}/events\`, or register a webhook.
3. Download \`images[0].url\`, which works without the key until \`url_expires_at\`. Read the job again for a new link.

- See the cost first: \`POST /images?dry_run=true\` returns \`estimate.high_micro_usd\` and creates nothing. \`max_cost_micro_usd\` refuses a dearer request.
- Errors are \`application/problem+json\`. Repeat a request only if \`retryable\` is true, after \`Retry-After\` seconds. \`errors[].pointer\` names wrong fields.
- 402 \`budget_exceeded\`: stop. \`budget.resets_at\` says when the budget of the key resets.
- Clients of the OpenAI API work with the base URL ${publicUrl}/v1 and the key.

## Documents

- [API reference](${publicUrl}/docs/api): every operation, to read and to try.
- [OpenAPI 3.1 document](${publicUrl}/openapi.json): all schemas, also as [YAML](${publicUrl}/openapi.yaml).
${pages.map(({ slug, name }) => `- [${name}](${publicUrl}/docs/${slug}.md)`).join('\n')}

The pages are Markdown at these addresses, and web pages without \`.md\` at the end.

## Operations

${operationsOf(document).join('\n')}
`;
}

function operationsOf({ paths }: JsonSchema): string[] {
  return Object.entries(paths as Record<string, Record<string, JsonSchema>>).flatMap(([path, operations]) =>
    methods.flatMap((method) => {
      const operation = operations[method];
      const [tag] = (operation?.tags ?? []) as string[];
      if (!operation || !listedTags.includes(String(tag))) return [];
      return [`- \`${method.toUpperCase()} ${path}\`: ${operation.summary}`];
    }),
  );
}
