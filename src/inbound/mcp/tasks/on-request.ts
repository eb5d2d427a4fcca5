import { ProtocolError, type Server, type ServerContext } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { Log } from '../../../domain/ports.ts';
import { refusalOf } from '../call-tool.ts';
import { checkLimit, type McpCall } from '../mcp-call.ts';
import { protocolErrorOf } from '../protocol-error.ts';

type Respond<Params> = (params: Params, context: ServerContext) => Promise<Record<string, unknown>>;

/** Adds a method to a server. It respects the limits of the caller. Errors of the service become errors of the protocol. */
export type OnRequest = <Params extends z.ZodType>(
  method: string,
  params: Params,
  respond: Respond<z.infer<Params>>,
) => void;

/** Returns the function that adds methods to a server. */
export const addTo =
  (server: Server, log: Log, call: McpCall): OnRequest =>
  (method, params, respond) => {
    server.setRequestHandler(method, { params }, async (values, context) => {
      try {
        checkLimit(call, context.mcpReq.id);
        return await respond(values as z.infer<typeof params>, context);
      } catch (error) {
        if (error instanceof ProtocolError) throw error;
        const refusal = refusalOf(error);
        if (refusal !== error) log.error({ err: error, method }, 'MCP request failed');
        throw protocolErrorOf(refusal);
      }
    });
  };
