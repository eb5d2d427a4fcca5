import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import {
  CLIENT_CAPABILITIES_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ImageJob } from '../../../domain/image-job.ts';
import type { Log } from '../../../domain/ports.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { refusalOf } from '../call-tool.ts';
import { checkScope, type McpCall } from '../mcp-call.ts';
import { protocolErrorOf } from '../protocol-error.ts';
import { containsExtension, detailedTask, undeclaredTasks } from './extension.ts';
import type { JobTasks } from './job-tasks.ts';

const method = 'subscriptions/listen';
const revision = '2026-07-28';
/** Maximum number of tasks of one subscription. The acknowledgment names those that are followed. */
const maxTasks = 50;
/** Pause between two comments that show to proxies that a stream is open. */
const keepAliveMs = 15_000;

const message = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]),
  method: z.literal(method),
  params: z.looseObject({
    _meta: z.looseObject({ [PROTOCOL_VERSION_META_KEY]: z.literal(revision) }),
    notifications: z.looseObject({ taskIds: z.array(z.string()).min(1) }),
  }),
});

/** A request for the notifications of tasks. */
interface TaskSubscription {
  readonly id: string | number;
  readonly taskIds: readonly string[];
  readonly isDeclared: boolean;
}

/** Reads a request for the notifications of tasks. Returns `null` for every other message, which the SDK serves. */
export function readSubscription(headers: IncomingHttpHeaders, body: unknown): TaskSubscription | null {
  if (headers['mcp-protocol-version'] !== revision || headers['mcp-method'] !== method) return null;
  const parsed = message.safeParse(body);
  if (!parsed.success) return null;
  const { id, params } = parsed.data;
  const meta: Readonly<Record<string, unknown>> = params._meta;
  return {
    id,
    taskIds: [...new Set(params.notifications.taskIds)].slice(0, maxTasks),
    isDeclared: containsExtension(meta[CLIENT_CAPABILITIES_META_KEY]),
  };
}

interface Deps {
  readonly tasks: JobTasks;
  readonly jobs: Pick<Jobs, 'streamJobEvents'>;
  readonly serverInfo: Readonly<Record<string, string>>;
  readonly log: Log;
}

/**
 * Creates the function that sends `notifications/tasks`: each task at once and after each change, as `tasks/get` returns it.
 * The stream ends when all its tasks have ended, when the key loses its access, or when the process stops.
 */
export function createTaskSubscriptions({ tasks, jobs, serverInfo, log }: Deps) {
  async function follow(job: ImageJob, call: McpCall, send: (task: object) => void): Promise<void> {
    send(await detailedTask(tasks, job, call));
    for await (const moment of jobs.streamJobEvents(job, job.history.length, call.gone)) {
      if (moment.no < moment.job.history.length) continue;
      send(await detailedTask(tasks, moment.job, call));
    }
  }

  /** Returns the jobs of the tenant among the tasks. A task that is unknown is not acknowledged. */
  async function known(taskIds: readonly string[], call: McpCall): Promise<ImageJob[]> {
    checkScope(call, 'images:read');
    const found = await Promise.all(taskIds.map((taskId) => tasks.get(call, taskId).catch(ignoreUnknown)));
    return found.filter((job) => job !== null);
  }

  return async (
    { id, taskIds, isDeclared }: TaskSubscription,
    response: ServerResponse,
    call: McpCall,
  ): Promise<void> => {
    const leave = call.enterWait();
    const stream = openStream(response, id);
    try {
      if (!isDeclared) throw undeclaredTasks(method);
      if (!leave) throw new ProtocolError(ProtocolErrorCode.InternalError, 'Subscription limit reached');
      const followed = await known(taskIds, call);
      stream.acknowledge(followed.map((job) => job.id));
      await Promise.all(followed.map((job) => follow(job, call, stream.send)));
      stream.end(serverInfo);
    } catch (error) {
      const refusal = error instanceof ProtocolError ? error : protocolErrorOf(refusalOf(error));
      if (error !== refusal && refusalOf(error) !== error)
        log.error({ err: error, method }, 'MCP request failed');
      stream.refuse(refusal);
    } finally {
      leave?.();
    }
  };
}

function ignoreUnknown(error: unknown): null {
  if (['not_found', 'erased'].includes(refusalOf(error).code)) return null;
  throw error;
}

/** Opens the stream of a subscription. Its head is sent with the acknowledgment, so that a refusal has a status. */
function openStream(response: ServerResponse, id: string | number) {
  const _meta = { [SUBSCRIPTION_ID_META_KEY]: id };
  const write = (data: object) => {
    // After the failure of one task, the others may change before the stream is closed.
    if (!response.destroyed && !response.writableEnded)
      response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...data })}\n\n`);
  };
  let keepAlive: NodeJS.Timeout | undefined;
  return {
    acknowledge(taskIds: readonly string[]) {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      const notifications = taskIds.length > 0 ? { taskIds } : {};
      write({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } });
      keepAlive = setInterval(() => response.write(': keepalive\n\n'), keepAliveMs);
    },
    send: (task: object) => write({ method: 'notifications/tasks', params: { ...task, _meta } }),
    end(serverInfo: Deps['serverInfo']) {
      clearInterval(keepAlive);
      write({
        id,
        result: { resultType: 'complete', _meta: { ..._meta, [SERVER_INFO_META_KEY]: serverInfo } },
      });
      response.end();
    },
    refuse({ code, message: text, data }: ProtocolError) {
      clearInterval(keepAlive);
      const error = { code, message: text, ...(data === undefined ? {} : { data }) };
      if (response.headersSent) {
        write({ id, error });
        response.end();
        return;
      }
      const status = code === ProtocolErrorCode.MissingRequiredClientCapability ? 400 : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    },
  };
}
