import autocannon from 'autocannon';
import type { Child } from './child.ts';
import type { BenchRedis } from './redis.ts';

/** A request that is sent repeatedly. */
export interface HttpTarget {
  readonly server: Child;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Replaces every `[<id>]` in a request with a new id. */
  readonly freshIds?: boolean;
  /** The only status that counts as a response. */
  readonly status: number;
}

/** `cpuMicros` is the sum of the cost for the server process and for Redis. */
export type HttpFigure = 'perSecond' | 'p50Ms' | 'p99Ms' | 'nodeMicros' | 'redisMicros' | 'cpuMicros';

/** Limit of the load: a duration, or a number of requests. */
export type LoadLength = { readonly seconds: number } | { readonly requests: number };

const connections = 64;

/**
 * Returns the length of the warm-up. A shorter one leaves much code of the server uncompiled and distorts the figures.
 */
export function warmUp(pace: number): LoadLength {
  return { requests: Math.ceil(20_000 * pace) };
}

/**
 * Sends one request over 64 connections. Each connection sends the next request when its last response has arrived.
 *
 * @returns responses per second, latencies, and the cost of one response for the server process and Redis.
 * @throws Error if any response differs from the expected one.
 */
export async function loadHttp(
  target: HttpTarget,
  redis: BenchRedis,
  length: LoadLength,
): Promise<Record<HttpFigure, number>> {
  const nodeBefore = (await target.server.usage()).cpuMicros;
  const redisBefore = await redis.cpuMicros();
  const result = await autocannon({
    url: target.server.url + target.path,
    connections,
    ...('seconds' in length ? { duration: length.seconds } : { amount: length.requests }),
    method: target.method,
    headers: { ...target.headers },
    ...(target.body === undefined ? {} : { body: target.body }),
    ...(target.freshIds ? { idReplacement: true } : {}),
  });
  const nodeMicros = (await target.server.usage()).cpuMicros - nodeBefore;
  const redisMicros = (await redis.cpuMicros()) - redisBefore;
  const { [target.status]: good, ...others } = result.statusCodeStats;
  const count = good?.count ?? 0;
  if (count === 0 || result.errors > 0 || result.timeouts > 0 || Object.keys(others).length > 0) {
    const seen = JSON.stringify({ ...result.statusCodeStats, errors: result.errors });
    throw new Error(`${target.method} ${target.path}: expected ${target.status} only, got ${seen}`);
  }
  return {
    perSecond: count / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    nodeMicros: nodeMicros / count,
    redisMicros: redisMicros / count,
    cpuMicros: (nodeMicros + redisMicros) / count,
  };
}
