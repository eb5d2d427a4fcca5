/** The part of autocannon that is used here; it comes without types. */
declare module 'autocannon' {
  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration?: number;
    /** Requests, instead of a duration. */
    amount?: number;
    method: 'GET' | 'POST';
    headers: Record<string, string>;
    body?: string;
    /** Puts a new id in place of every `[<id>]` in a request. */
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
