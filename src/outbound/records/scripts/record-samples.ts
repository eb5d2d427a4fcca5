import type { Cluster, Redis } from 'ioredis';
import { maxSamples } from '../../../domain/token-samples.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { Keys } from '../keys.ts';

/** Maximum number of kinds. Beyond it, and after a month without an image, a kind is forgotten. */
const maxKinds = 1_000;
const unusedAfterMs = 30 * 24 * 3_600_000;

/**
 * Samples are JSON objects of numbers. A figure is taken over each field separately, also over fields of another release.
 *
 * KEYS 1 samples, 2 summary, 3 kinds
 * ARGV 1 kind, 2 now, 3 max samples, 4 max kinds, 5 oldest time of a kind, 6 and more: new samples as JSON
 * Returns the summary of the kind as JSON: {median: {...}, max: {...}}
 */
const source = `
local samples = cjson.decode(redis.call('HGET', KEYS[1], ARGV[1]) or '[]')
for i = 6, #ARGV do samples[#samples + 1] = cjson.decode(ARGV[i]) end
local recent = {}
for i = math.max(1, #samples - tonumber(ARGV[3]) + 1), #samples do recent[#recent + 1] = samples[i] end

local values = {}
for _, sample in ipairs(recent) do
  for field, value in pairs(sample) do
    values[field] = values[field] or {}
    table.insert(values[field], value)
  end
end
local median, max = {}, {}
for field, list in pairs(values) do
  table.sort(list)
  median[field] = list[math.ceil(#list / 2)]
  max[field] = list[#list]
end
local summary = cjson.encode({ median = median, max = max })

redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(recent))
redis.call('HSET', KEYS[2], ARGV[1], summary)
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
local unused = redis.call('ZRANGE', KEYS[3], 0, -1 - tonumber(ARGV[4]))
for _, kind in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[5], 'LIMIT', 0, 100)) do
  unused[#unused + 1] = kind
end
for _, kind in ipairs(unused) do
  redis.call('HDEL', KEYS[1], kind)
  redis.call('HDEL', KEYS[2], kind)
  redis.call('ZREM', KEYS[3], kind)
end
return summary
`;

/** Prepares the script that remembers the tokens of images of one kind, and returns the new figures of the kind as JSON. */
export function createRecordSamples(redis: Redis | Cluster, keys: Pick<Keys, 'tokens'>) {
  const run = createScript(redis, source);
  const names = [keys.tokens('samples'), keys.tokens('summary'), keys.tokens('kinds')];
  return async (kind: string, samples: readonly object[], nowMs: number): Promise<string> => {
    const limits = [nowMs, maxSamples, maxKinds, nowMs - unusedAfterMs];
    return (await run(names, [kind, ...limits, ...samples.map((each) => JSON.stringify(each))])) as string;
  };
}
