import type { InputSourceRecord } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';

/**
 * Checks the records from which inputs of a new job were copied. They are one text: 'KINDPOSITION,...' with positions in
 * KEYS, and 'u' for an upload or 'j' for a job. An erased job is gone. A damaged record counts as gone too.
 */
export const luaCheckSources = `
local function is_erased(record)
  local is_readable, job = pcall(cjson.decode, record)
  return not is_readable or job.erasedAt ~= nil
end
local function check_sources(sources)
  local index = 0
  for kind, position in string.gmatch(sources, '(%a)(%d+)') do
    local key = KEYS[tonumber(position)]
    if kind == 'u' then
      if redis.call('EXISTS', key) == 0 then return 'source_gone ' .. index end
    else
      local record = redis.call('GET', key)
      if not record or is_erased(record) then return 'source_gone ' .. index end
    end
    index = index + 1
  end
end
`;

/** Encodes sources for the script; '' if there are none. */
export function encodeSources(
  { keys, tenant }: { readonly keys: Keys; readonly tenant: string },
  sources: readonly InputSourceRecord[],
  positionOf: (key: string) => number,
): string {
  return sources
    .map(({ kind, id }) =>
      kind === 'upload' ? `u${positionOf(keys.upload(tenant, id))}` : `j${positionOf(keys.job(tenant, id))}`,
    )
    .join(',');
}

/** Returns the source that a reply of the script names, or `null` if the reply is another one. */
export function parseSource(reply: string, sources: readonly InputSourceRecord[]): InputSourceRecord | null {
  const [kind, index] = reply.split(' ');
  return kind === 'source_gone' ? (sources[Number(index)] ?? null) : null;
}
