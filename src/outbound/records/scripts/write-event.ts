/**
 * Lua function that writes an event if the job's own webhook wants it or an endpoint subscribed to its type. It writes the
 * current job under the event's key and the event's id into the outbox. The subscriptions are read once, because all events
 * of one call have the same type.
 *
 *   event: {outbox, subscriptions, key, id, wanted}. id is '-' without an event, wanted is '1' if the job's own webhook wants it
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
