/** The part of autocannon that the benchmarks use. The package has no types. */
declare module 'autocannon' {
  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration?: number;
    /** Number of requests, instead of a duration. */
    amount?: number;
    method: 'GET' | 'POST';
    headers: Record<string, string>;
    body?: string;
    /** Replaces every `[<id>]` in a request with a new id. */
    idReplacement?: boolean;
  }
  interface Result {
    /** Seconds. */
    duration: number;
    errors: number;
    timeouts: number;
    latency: { p50: number; p99: number };
    statusCodeStats: Record<string, { count: number }>;
  }
  function autocannon(options: Options): Promise<Result>;
  export = autocannon;
}
