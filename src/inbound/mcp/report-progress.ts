import type { ServerContext } from '@modelcontextprotocol/server';
import type { ToolContext } from './tool.ts';

/** Returns the function that sends progress, if the client requested it. */
export function reporterOf({ mcpReq }: ServerContext): ToolContext['report'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return async () => {};
  return ({ done, message }) =>
    mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress: done, message } })
      .catch(() => {});
}
