import type { CallToolResult } from '@modelcontextprotocol/server';
import { AppError } from '../../domain/errors.ts';
import type { Log } from '../../domain/ports.ts';
import { checkLimit, checkScope } from './mcp-call.ts';
import { presentError } from './present-result.ts';
import { protocolErrorOf } from './protocol-error.ts';
import { readArguments } from './read-arguments.ts';
import type { StartedTask, Tool, ToolContext } from './tool.ts';

/**
 * Runs a tool. A refusal is a result, so that the model reads the reason.
 *
 * @throws ProtocolError for a refusal if the client requires a task, because such a request has no other result
 */
export async function callTool(
  tool: Tool,
  args: unknown,
  { log, ...context }: ToolContext & { readonly log: Log },
): Promise<CallToolResult | StartedTask> {
  try {
    checkLimit(context.call, context.rpcId);
    checkScope(context.call, tool.scope);
    // The client reads the result of its task with the same key.
    if (context.taskMode === 'required') checkScope(context.call, 'images:read');
    return await tool.run(readArguments(tool.input, args), context);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== error) {
      log.error({ err: error, tool: tool.name, request_id: context.call.requestId }, 'tool failed');
    }
    if (context.taskMode === 'required') throw protocolErrorOf(refusal);
    return presentError(refusal);
  }
}

/** Returns the error that the caller may read. */
export function refusalOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('internal', { detail: 'Internal error. Retry the call.' });
}
