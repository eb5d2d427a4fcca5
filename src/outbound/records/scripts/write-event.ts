/**
 * Lua function that writes an event if the job's own webhook wants it or an endpoint subscribed to its type: the job as it
 * is now under the event's key, and the event's id in the outbox. All events of one call have the same type, so the
 * subscriptions are read once.
 *
 *   event: {outbox, subscriptions, key, id, wanted}; id is '-' without an event, wanted '1' if the job's own webhook wants it
 *   returns whether the event was written
 */
export const luaWriteEvent = `
local has_subscribers
local function write_event(event, job_id, record, now)
  if event.id == '-' then return false end
  if event.wanted ~= '1' then
    if has_subscribers == nil then has_subscribers = redis.call('EXISTS', unpack(event.subscriptions)) > 0 end
    if not has_subscribers then return false end
  end
  redis.call('SET', event.key, job_id .. ' ' .. record)
  redis.call('ZADD', event.outbox, now, event.id)
  return true
end
`;
