import type { BudgetCap, CapRefusal, CapUse } from '../../../domain/budget.ts';
import { ownerOf } from '../money-counters.ts';

/**
 * Lua function that checks an amount against caps and adds it to their sums. The sums of one call of a script are read once,
 * and grow with every accepted amount of that call.
 *
 *   spend: the hash of money counters. caps: 'owner:first day:last day:limit:kind,...' or '-'. Kind is 'h' (hard) or 's'.
 *   returns 'capped INDEX HELD SPENT' if the amount does not fit a hard cap, otherwise nil
 *   and 'INDEX=USED,...' with the caps of which at least half is used then. Indexes begin at 0.
 */
export const luaCheckCaps = `
local cap_sums = {}
local function cap_sum(spend, name, owner, first, last)
  local sum = cap_sums[name]
  if sum then return sum end
  local fields = {}
  local function add(bucket)
    fields[#fields + 1] = owner .. '.' .. bucket .. '.held'
    fields[#fields + 1] = owner .. '.' .. bucket .. '.spent'
  end
  if first == 'total' then add(first) else for day = tonumber(first), tonumber(last) do add(day) end end
  local values = redis.call('HMGET', spend, unpack(fields))
  sum = {held = 0, spent = 0}
  for i = 1, #fields, 2 do
    sum.held = sum.held + (tonumber(values[i]) or 0)
    sum.spent = sum.spent + (tonumber(values[i + 1]) or 0)
  end
  cap_sums[name] = sum
  return sum
end

local function check_caps(spend, caps, amount)
  if caps == '-' then return nil, '' end
  local index, used, own = 0, {}, {}
  for owner, first, last, limit, kind in string.gmatch(caps, '([^:,]+):([^:,]+):([^:,]+):(%d+):(%a)') do
    local name = owner .. ' ' .. first .. ' ' .. last
    local sum = cap_sum(spend, name, owner, first, last)
    local before, max = sum.held + sum.spent, tonumber(limit)
    -- A job of unknown cost holds nothing, and must not pass a budget that is used up.
    local fits = before + amount <= max and (amount > 0 or before < max)
    if kind == 'h' and not fits then
      return string.format('capped %d %.0f %.0f', index, sum.held, sum.spent)
    end
    if 2 * (before + amount) >= max then used[#used + 1] = string.format('%d=%.0f', index, before + amount) end
    own[name] = sum
    index = index + 1
  end
  for _, sum in pairs(own) do sum.held = sum.held + amount end
  -- The amount may count in other sums too. They are read again if another job needs them.
  cap_sums = own
  return nil, table.concat(used, ',')
end
`;

/** Returns caps as the script reads them. */
export function encodeCaps(caps: readonly BudgetCap[] = []): string {
  if (caps.length === 0) return '-';
  return caps
    .map(({ keyId, days, limitMicroUsd, soft }) =>
      [ownerOf(keyId), days?.first ?? 'total', days?.last ?? 'total', limitMicroUsd, soft ? 's' : 'h'].join(
        ':',
      ),
    )
    .join(',');
}

/** Reads the refusal of a script; `null` if the reply is another. */
export function parseRefusal(reply: string, caps: readonly BudgetCap[] = []): CapRefusal | null {
  const [kind, index, held, spent] = reply.split(' ');
  const cap = kind === 'capped' ? caps[Number(index)] : undefined;
  return cap ? { cap, heldMicroUsd: Number(held), spentMicroUsd: Number(spent) } : null;
}

/** Reads the caps of which at least half is used. */
export function parseUses(text: string, caps: readonly BudgetCap[] = []): CapUse[] {
  if (text === '') return [];
  return text.split(',').flatMap((entry) => {
    const [index, used] = entry.split('=');
    const cap = caps[Number(index)];
    return cap ? { cap, usedMicroUsd: Number(used) } : [];
  });
}
