/** Bounds of the audit log of a tenant. */
export interface AuditBounds {
  readonly ttlMs: number;
  readonly maxEntries: number;
}

/**
 * Lua function that appends an entry to an audit log and removes entries beyond its bounds. A log without new entries expires
 * as a whole.
 */
export const luaAppendAudit = `
local function append_audit(key, entry, ttl_ms, max_entries)
  local id = redis.call('XADD', key, 'MAXLEN', '~', max_entries, '*', 'entry', entry)
  local now_ms = tonumber(string.match(id, '^%d+'))
  redis.call('XTRIM', key, 'MINID', '~', string.format('%.0f', now_ms - tonumber(ttl_ms)))
  redis.call('PEXPIRE', key, ttl_ms)
end
`;
