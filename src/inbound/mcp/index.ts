import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { AppError } from '../../domain/errors.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, Log, ThumbnailMaker } from '../../domain/ports.ts';
import type { Inputs } from '../../usecases/inputs/index.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import { checkScope, type McpCall } from './mcp-call.ts';
import { createPresentResult, presentError } from './present-result.ts';
import { createSubmitOnce } from './submit-once.ts';
import type { Tool, ToolContext } from './tool.ts';
import { createImagesTools } from './tools/create-images.ts';
import { listModelsTools } from './tools/list-models.ts';
import { readImagesTools } from './tools/read-images.ts';

export interface McpDeps {
  readonly jobs: Pick<Jobs, 'submitJob' | 'getJob' | 'listJobs' | 'cancelJob' | 'presentJob' | 'readImage'>;
  readonly inputs: Pick<Inputs, 'collectInputs'>;
  readonly catalogue: ModelCatalogue;
  readonly thumbnailMaker: ThumbnailMaker;
  readonly linkSeconds: number;
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

const instructions =
  'Generates and edits images. Jobs are durable: if a call takes too long, call get_image with the id instead of repeating it.';

/**
 * Creates the server of the Model Context Protocol over Streamable HTTP. It holds no state between requests, so any process
 * may serve any of them. It speaks the revisions of 2025 and of 2026-07-28.
 *
 * @returns a function that serves one request. Authentication is up to its caller.
 */
export function createMcp(deps: McpDeps): (exchange: McpExchange) => Promise<void> {
  const tools = toolsOf(deps);
  const calls = new WeakMap<object, McpCall>();
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const call = authInfo && calls.get(authInfo);
      if (!call) throw new Error('an MCP request arrived without its caller');
      const server = new McpServer({ name: 'darkroom', version: deps.version }, { instructions });
      for (const tool of tools) register(server, tool, { call, log: deps.log });
      return server;
    },
    { onerror: (error) => deps.log.warn({ err: error }, 'MCP request refused') },
  );
  return async ({ request, response, body, call }) => {
    const auth = { token: '', clientId: call.caller.keyId, scopes: [...call.caller.scopes] };
    calls.set(auth, call);
    const serve = toNodeHandler({
      fetch: (web, options) => handler.fetch(web, { ...options, authInfo: auth }),
    });
    await serve(request as Parameters<typeof serve>[0], response, body);
  };
}
export type Mcp = ReturnType<typeof createMcp>;

function toolsOf(deps: McpDeps): Tool[] {
  const { jobs, inputs, catalogue, clock } = deps;
  const present = createPresentResult(deps);
  const submitOnce = createSubmitOnce({ jobs, clock });
  return [
    ...createImagesTools({ jobs, inputs, submitOnce, present }),
    ...readImagesTools({ jobs, present }),
    ...listModelsTools({ catalogue, clock }),
  ];
}

function register(server: McpServer, tool: Tool, { call, log }: { call: McpCall; log: Log }): void {
  const { name, title, description, input, isReadOnly } = tool;
  const annotations = {
    readOnlyHint: isReadOnly,
    destructiveHint: false,
    idempotentHint: isReadOnly,
    openWorldHint: !isReadOnly,
  };
  server.registerTool(
    name,
    { title, description, inputSchema: input, annotations },
    async (args, context) => {
      try {
        checkScope(call, tool.scope);
        return await tool.run(args, { call, rpcId: context.mcpReq.id, report: reporterOf(context) });
      } catch (error) {
        if (error instanceof AppError) return presentError(error);
        log.error({ err: error, tool: name, request_id: call.requestId }, 'tool failed');
        return presentError(new AppError('internal', { detail: 'Internal error. Retry the call.' }));
      }
    },
  );
}

/** Returns the function that sends progress, if the client requested it. */
function reporterOf({ mcpReq }: ServerContext): ToolContext['report'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return async () => {};
  return ({ done, message }) =>
    mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress: done, message } })
      .catch(() => {});
}
