import {
  type CallToolResult,
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { covers } from '../../domain/api-key.ts';
import type { Log } from '../../domain/ports.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import { callTool } from './call-tool.ts';
import type { McpCall } from './mcp-call.ts';
import { argumentsSchemaOf } from './read-arguments.ts';
import { reporterOf } from './report-progress.ts';
import { coreCapabilities, createdTask, serveCoreTasks } from './tasks/core-tasks.ts';
import { declaresTasks, extensionCapabilities, serveExtension, startedTask } from './tasks/extension.ts';
import type { JobTasks } from './tasks/job-tasks.ts';
import { addTo } from './tasks/on-request.ts';
import type { StartedTask, TaskMode, Tool } from './tool.ts';

export interface ServerDeps {
  readonly tools: readonly Tool[];
  readonly tasks: JobTasks;
  readonly jobs: Pick<Jobs, 'getJob' | 'streamJobEvents'>;
  readonly version: string;
  readonly log: Log;
}

/** One request to serve. */
export interface Serving {
  /** Generation of the protocol: `modern` is 2026-07-28, which has no handshake. */
  readonly era: 'legacy' | 'modern';
  readonly call: McpCall;
  readonly callsTool: boolean;
}

const instructions = `Darkroom generates and edits images. Every call of generate_image and edit_image creates a durable job that costs money.
- If a result says that a job is still running, call get_image with its id. Never repeat the call: that would create and pay a second image.
- Send an idempotency_key if you may repeat a call, for example after a timeout. Equal keys return the same job.
- If a result says budget_exceeded, stop and report it to the user. Waiting a moment or repeating the call does not help.
- Show the links of the result to the user. They expire; get_image returns new ones.`;

/** Arguments of `tools/call`. Only clients of 2025-11-25 send `task`. */
const callParams = z.looseObject({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  task: z.looseObject({}).optional(),
});
type CallParams = z.infer<typeof callParams>;

/** Returns the name of this server for clients. */
export const serverInfoOf = (version: string) => ({ name: 'darkroom', title: 'Darkroom', version });

/** Creates the server of one request. It holds no state beyond it. */
export function createServer({ tools, tasks, jobs, version, log }: ServerDeps) {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const descriptions = tools.map(descriptionOf);

  return ({ era, call, callsTool }: Serving): Server => {
    const isModern = era === 'modern';
    const server = new Server(serverInfoOf(version), {
      instructions,
      capabilities: { tools: {}, ...(isModern ? extensionCapabilities : coreCapabilities) },
    });
    const onRequest = addTo(server, log, call);
    onRequest('tools/list', z.looseObject({}), async () => ({ tools: descriptions }));
    if (isModern) serveExtension(onRequest, tasks, call);
    else serveCoreTasks(onRequest, { tasks, jobs }, call);

    async function respond(request: JSONRPCRequest, context: ServerContext) {
      const params = readParams(request);
      const tool = byName.get(params.name);
      if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${params.name}.`);
      const taskMode = isModern ? extensionMode(tool, call, context) : coreMode(tool, params);
      const { id: rpcId } = request;
      const toolContext = { call, rpcId, taskMode, report: reporterOf(context), log };
      const outcome = await callTool(tool, params.arguments, toolContext);
      if (!isTask(outcome)) return outcome;
      const task = await tasks.describe(outcome.task, call);
      return isModern ? startedTask(task) : createdTask(task);
    }
    // A registered handler of tools/call may only return the result of a tool, never a task.
    if (callsTool) server.fallbackRequestHandler = respond;
    return server;
  };
}

const isTask = (outcome: CallToolResult | StartedTask): outcome is StartedTask => 'task' in outcome;

function readParams({ method, params }: JSONRPCRequest): CallParams {
  if (method !== 'tools/call') throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
  const parsed = callParams.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params of ${method}.`);
}

/** Allows a task only to a request that declares the extension, and only if its key can read the task. */
function extensionMode(tool: Tool, { caller }: McpCall, context: ServerContext): TaskMode {
  const canRead = covers(caller.scopes, 'images:read');
  return tool.createsJob && canRead && declaresTasks(context) ? 'allowed' : 'never';
}

/** @throws ProtocolError if a client requests a task of a tool that makes none */
function coreMode(tool: Tool, { task }: CallParams): TaskMode {
  if (task === undefined) return 'never';
  if (tool.createsJob) return 'required';
  const message = `The tool ${tool.name} makes no tasks. Call it without \`task\`.`;
  throw new ProtocolError(ProtocolErrorCode.MethodNotFound, message);
}

/** Returns the description of a tool in `tools/list`. */
function descriptionOf({ name, title, description, input, isReadOnly, createsJob = false }: Tool) {
  return {
    name,
    title,
    description,
    inputSchema: argumentsSchemaOf(input),
    annotations: {
      readOnlyHint: isReadOnly,
      destructiveHint: false,
      idempotentHint: isReadOnly,
      openWorldHint: createsJob,
    },
    // Clients of 2026-07-28 do not get this field, which the SDK removes.
    ...(createsJob ? { execution: { taskSupport: 'optional' as const } } : {}),
  };
}
