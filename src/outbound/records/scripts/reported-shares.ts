import { thresholds } from '../../../domain/budget.ts';

/** Maximum number of limits whose reported shares are stored for one budget. A daily raise of a total has its own each day. */
const maxLimits = 8;

/**
 * Lua functions that read and write which shares of a budget were reported. They are stored by window and limit, so that a
 * changed limit begins anew, and a limit that returns is not reported twice: when an override ends, or while processes know
 * different limits for a second. A late settlement counts in an earlier window and leaves the shares of the current one.
 *
 *   cap: {owner, kind, window, limit}. The limit is a text
 *   fields: 'OWNER.reported.KIND' = 'WINDOW:LIMIT+50+80+ WINDOW:LIMIT+100+', newest first, and
 *           'OWNER.level.KIND' = 'WINDOW SHARE', which an earlier release writes alone and reads
 */
export const luaReportedShares = `
local shares_of_budget = {${thresholds.join(', ')}}
local function has_share(reported, share) return string.find(reported, '+' .. share .. '+', 1, true) ~= nil end

-- Returns the reported shares of a limit as '+50+80+', and the stored text. The level of an earlier release has no limit. It
-- counts for this limit, unless less of it is used than the level says: then the limit was raised since.
local function reported_shares(spend, cap, reached)
  local values = redis.call('HMGET', spend, cap.owner .. '.reported.' .. cap.kind, cap.owner .. '.level.' .. cap.kind)
  local stored = ' ' .. (values[1] or '')
  local reported = string.match(stored, ' ' .. cap.window .. ':' .. cap.limit .. '(%+%S+)')
  if reported then return reported, stored end
  local window, level = string.match(values[2] or '', '^(%S+) (%d+)$')
  if window ~= cap.window or string.find(stored, ' ' .. window .. ':', 1, true) then return '+', stored end
  if reached < tonumber(level) then return '+', stored end
  reported = '+'
  for _, share in ipairs(shares_of_budget) do
    if share <= tonumber(level) then reported = reported .. share .. '+' end
  end
  return reported, stored
end

local function store_shares(spend, cap, reported, stored)
  local name = cap.window .. ':' .. cap.limit
  local entries, highest = {name .. reported}, 0
  for entry in string.gmatch(stored, '%S+') do
    if #entries < ${maxLimits} and string.match(entry, '^[^+]+') ~= name then entries[#entries + 1] = entry end
  end
  for _, share in ipairs(shares_of_budget) do
    if has_share(reported, share) then highest = share end
  end
  redis.call('HSET', spend, cap.owner .. '.reported.' .. cap.kind, table.concat(entries, ' '),
    cap.owner .. '.level.' .. cap.kind, cap.window .. ' ' .. highest)
end
`;
