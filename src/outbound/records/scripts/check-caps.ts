import type { BudgetCap, CapRefusal } from '../../../domain/budget.ts';
import { ownerOf } from '../money-counters.ts';
import { luaReportedShares } from './reported-shares.ts';

/**
 * Lua function that checks an amount against caps and adds it to their sums. The sums of one call of a script are read once,
 * and grow with every accepted amount of that call. Every threshold that the amount reaches is marked in the same step, so
 * that its event cannot be lost. A refusal marks 100 percent only, because it uses nothing.
 *
 *   keys: {spend, marks}: the hash of money counters, and the set of thresholds that no event reports yet
 *   caps: 'owner:window:limit:kind,...' or '-'. Kind is 'h' (hard) or 's' and the first letter of the window.
 *   is_booked: whether the amount is owed already, so that no cap refuses it
 *   returns 'capped INDEX HELD SPENT' if the amount does not fit a hard cap, otherwise nil. Indexes begin at 0.
 *   returns '+' as well if it marked a threshold, otherwise ''
 */
export const luaCheckCaps = `${luaReportedShares}
local cap_sums = {}
local function cap_sum(spend, name)
  local sum = cap_sums[name]
  if sum then return sum end
  local values = redis.call('HMGET', spend, name .. '.held', name .. '.spent')
  sum = {held = tonumber(values[1]) or 0, spent = tonumber(values[2]) or 0}
  cap_sums[name] = sum
  return sum
end

-- Marks the shares from one to another that no event reported for this limit and window. Returns whether there are any.
local function mark_shares(keys, cap, range, now)
  local reported, has_marked = reported_shares(keys.spend, cap, range.to), false
  for _, share in ipairs(shares_of_budget) do
    if share >= range.from and share <= range.to and not has_share(reported, share) then
      redis.call('ZADD', keys.marks, now, table.concat({cap.owner, cap.kind, cap.window, share, cap.limit}, ' '))
      has_marked = true
    end
  end
  return has_marked
end

local function mark_reached(keys, cap, used, now)
  local reached = 0
  for _, share in ipairs(shares_of_budget) do
    if used >= share / 100 * cap.max then reached = share end
  end
  return reached > 0 and mark_shares(keys, cap, {from = 0, to = reached}, now)
end

local function check_caps(keys, caps, amount, now, is_booked)
  if caps == '-' then
    cap_sums = {}
    return nil, ''
  end
  local index, checked, own = 0, {}, {}
  for owner, window, limit, kind in string.gmatch(caps, '([^:,]+):([^:,]+):(%d+):(%a%a)') do
    local name = owner .. '.' .. window
    local sum = cap_sum(keys.spend, name)
    local cap = {owner = owner, window = window, kind = kind, limit = limit, max = tonumber(limit), sum = sum}
    local before = sum.held + sum.spent
    -- A job of unknown cost holds nothing, and must not pass a budget that is used up.
    local fits = is_booked or before + amount <= cap.max and (amount > 0 or before < cap.max)
    if not fits and string.sub(kind, 1, 1) == 'h' then
      local mark = mark_shares(keys, cap, {from = 100, to = 100}, now) and ' +' or ''
      return string.format('capped %d %.0f %.0f', index, sum.held, sum.spent) .. mark
    end
    checked[#checked + 1] = cap
    own[name] = sum
    index = index + 1
  end
  for _, sum in pairs(own) do sum.held = sum.held + amount end
  local mark = ''
  for _, cap in ipairs(checked) do
    if mark_reached(keys, cap, cap.sum.held + cap.sum.spent, now) then mark = '+' end
  end
  -- The amount may count in other sums too. They are read again if another job needs them.
  cap_sums = own
  return nil, mark
end
`;

/** Returns caps as the script reads them. */
export function encodeCaps(caps: readonly BudgetCap[] = []): string {
  if (caps.length === 0) return '-';
  return caps
    .map((cap) => [ownerOf(cap.keyId), cap.windowName, cap.limitMicroUsd, kindOf(cap)].join(':'))
    .join(',');
}

/** Returns the kind of a cap as the scripts name it: hard or soft, and the window. */
export const kindOf = ({ soft, window }: BudgetCap): string => `${soft ? 's' : 'h'}${window[0]}`;

/** Reads the refusal of a script; `null` if the reply is another. */
export function parseRefusal(reply: string, caps: readonly BudgetCap[] = []): CapRefusal | null {
  const [kind, index, held, spent] = reply.split(' ');
  const cap = kind === 'capped' ? caps[Number(index)] : undefined;
  return cap ? { cap, heldMicroUsd: Number(held), spentMicroUsd: Number(spent) } : null;
}

/** Whether the script marked a threshold. */
export const hasMark = (reply: string): boolean => reply.endsWith(' +');
