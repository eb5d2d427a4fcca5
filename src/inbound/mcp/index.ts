import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Estimate } from '../../domain/estimate.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, Log, ThumbnailMaker } from '../../domain/ports.ts';
import type { Presets } from '../../domain/preset.ts';
import type { Inputs } from '../../usecases/inputs/index.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import type { McpCall } from './mcp-call.ts';
import { createPresentResult, type PresentResult } from './present-result.ts';
import { createServer } from './server.ts';
import { createSubmitOnce } from './submit-once.ts';
import { createJobTasks } from './tasks/job-tasks.ts';
import type { Tool } from './tool.ts';
import { createImagesTools } from './tools/create-images.ts';
import { listModelsTools } from './tools/list-models.ts';
import { readImagesTools } from './tools/read-images.ts';

export interface McpDeps {
  readonly jobs: Pick<Jobs, 'submitJob' | 'getJob' | 'listJobs' | 'cancelJob' | 'presentJob' | 'readImage'>;
  readonly inputs: Pick<Inputs, 'collectInputs'>;
  readonly catalogue: ModelCatalogue;
  readonly presets: Presets;
  readonly estimate: Estimate;
  readonly thumbnailMaker: ThumbnailMaker;
  readonly linkSeconds: number;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** An authenticated request with its parsed body, and the response to write. */
export interface McpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: unknown;
  readonly call: McpCall;
}

/**
 * Creates the server of the Model Context Protocol over Streamable HTTP. It holds no state between requests, so any process
 * may serve any of them. It speaks the revisions of 2025 and of 2026-07-28.
 *
 * @returns the tools, and a function that serves one request. Authentication is up to its caller.
 */
export function createMcp(deps: McpDeps) {
  const { jobs, version, log } = deps;
  const present = createPresentResult(deps);
  const tools = toolsOf(deps, present);
  const createServerOf = createServer({
    tools,
    tasks: createJobTasks({ ...deps, present }),
    jobs,
    version,
    log,
  });
  const exchanges = new WeakMap<object, Pick<McpExchange, 'call' | 'body'>>();
  const handler = createMcpHandler(
    ({ authInfo, era }) => {
      const exchange = authInfo && exchanges.get(authInfo);
      if (!exchange) throw new Error('an MCP request arrived without its caller');
      return createServerOf({ era, call: exchange.call, callsTool: callsTool(exchange.body) });
    },
    { onerror: (error) => log.warn({ err: error }, 'MCP request refused') },
  );
  async function serve({ request, response, body, call }: McpExchange): Promise<void> {
    const auth = { token: '', clientId: call.caller.keyId, scopes: [...call.caller.scopes] };
    exchanges.set(auth, { call, body });
    const respond = toNodeHandler({
      fetch: (web, options) => handler.fetch(web, { ...options, authInfo: auth }),
    });
    await respond(request as Parameters<typeof respond>[0], response, body);
  }
  return { tools: tools as readonly Pick<Tool, 'name' | 'description'>[], serve };
}
export type Mcp = ReturnType<typeof createMcp>;

/** Whether a message or a message of a batch calls a tool. */
function callsTool(body: unknown): boolean {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.some((message) => (message as { method?: unknown } | null)?.method === 'tools/call');
}

function toolsOf(deps: McpDeps, present: PresentResult): Tool[] {
  const { jobs, inputs, clock } = deps;
  const submitOnce = createSubmitOnce({ jobs, clock });
  return [
    ...createImagesTools({ jobs, inputs, submitOnce, present }),
    ...readImagesTools({ jobs, present }),
    ...listModelsTools(deps),
  ];
}
