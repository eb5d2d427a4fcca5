import autocannon from 'autocannon';
import type { Child } from './child.ts';
import type { BenchRedis } from './redis.ts';

/** A request that is sent over and over. */
export interface HttpTarget {
  readonly server: Child;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Puts a new id in place of every `[<id>]` in a request. */
  readonly freshIds?: boolean;
  /** The only status that counts as an answer. */
  readonly status: number;
}

export type HttpFigure = 'perSecond' | 'p50Ms' | 'p99Ms' | 'nodeMicros' | 'redisMicros';

/** How long to send: for a time, or a number of requests. */
export type LoadLength = { readonly seconds: number } | { readonly requests: number };

const connections = 64;

/** Fewer requests leave much of a server's code uncompiled, which would be measured instead of it. */
export function warmUp(pace: number): LoadLength {
  return { requests: Math.ceil(20_000 * pace) };
}

/**
 * Sends one request over 64 connections, each as soon as the answer to its last one is there.
 *
 * @returns answers per second, latencies, and what one answer cost the server process and Redis.
 * @throws Error when any answer is another than the expected one.
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
  };
}
