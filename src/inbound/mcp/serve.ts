import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { McpCall } from './mcp-call.ts';
import { createServer, type ServerDeps, serverInfoOf } from './server.ts';
import { createTaskSubscriptions, readSubscription } from './tasks/subscriptions.ts';

/** An authenticated request with its parsed body, and the response to write. */
export interface McpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: unknown;
  readonly call: McpCall;
}

/** Creates the function that serves one request. Authentication is up to its caller. */
export function createServe(deps: ServerDeps) {
  const createServerOf = createServer(deps);
  const serveSubscription = createTaskSubscriptions({ ...deps, serverInfo: serverInfoOf(deps.version) });
  const exchanges = new WeakMap<object, Pick<McpExchange, 'call' | 'body'>>();
  const handler = createMcpHandler(
    ({ authInfo, era }) => {
      const exchange = authInfo && exchanges.get(authInfo);
      if (!exchange) throw new Error('an MCP request arrived without its caller');
      return createServerOf({ era, call: exchange.call, callsTool: callsTool(exchange.body) });
    },
    { onerror: (error) => deps.log.warn({ err: error }, 'MCP request refused') },
  );
  return async ({ request, response, body, call }: McpExchange): Promise<void> => {
    const subscription = readSubscription(request.headers, body);
    if (subscription) return serveSubscription(subscription, response, call);
    const auth = { token: '', clientId: call.caller.keyId, scopes: [...call.caller.scopes] };
    exchanges.set(auth, { call, body });
    const respond = toNodeHandler({
      fetch: (web, options) => handler.fetch(web, { ...options, authInfo: auth }),
    });
    await respond(request as Parameters<typeof respond>[0], response, body);
  };
}
export type Serve = ReturnType<typeof createServe>;

/** Whether a message or a message of a batch calls a tool. */
function callsTool(body: unknown): boolean {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.some((message) => (message as { method?: unknown } | null)?.method === 'tools/call');
}
