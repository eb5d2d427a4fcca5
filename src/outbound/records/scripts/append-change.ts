/** Time for which the changes of a tenant can be replayed, in milliseconds. */
export const replayMs = 3_600_000;

/**
 * Lua function that appends a change to the stream of a tenant, if a listener has created the stream. A tenant without
 * listeners costs one lookup. Entries older than `replayMs` are trimmed in whole blocks, which costs almost nothing.
 */
export const luaAppendChange = `
local function append_change(stream, id, from, to, now)
  if from == to then return end
  redis.call('XADD', stream, 'NOMKSTREAM', 'MINID', '~', string.format('%d', now - ${replayMs}), '*',
    'job', id, 'from', from, 'to', to)
end
`;
