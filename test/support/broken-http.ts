import fc, { type Arbitrary } from 'fast-check';
import type { Header, RequestPlan } from './request-plan.ts';

const withHeaders =
  (...headers: Header[]) =>
  (plan: RequestPlan): RequestPlan => ({ ...plan, headers: [...headers, ...plan.headers] });

const damages: readonly ((plan: RequestPlan) => RequestPlan)[] = [
  (plan) => ({ ...plan, method: 'FROBNICATE' }),
  (plan) => ({ ...plan, method: 'CONNECT' }),
  (plan) => ({ ...plan, method: plan.method.toLowerCase() }),
  (plan) => ({ ...plan, version: 'HTTP/9.9' }),
  (plan) => ({ ...plan, version: 'HTTX' }),
  (plan) => ({ ...plan, target: `/a b/${plan.target}` }),
  (plan) => ({ ...plan, target: `${plan.target}?q=${'u'.repeat(20_000)}` }),
  withHeaders(['bad name', 'x']),
  withHeaders(['x-control', 'a\u0001\u0000b']),
  withHeaders(['content-length', '-5']),
  withHeaders(['content-length', '1'], ['content-length', '2']),
  withHeaders(['transfer-encoding', 'chunked, gzip'], ['content-length', '3']),
  withHeaders(['x-big', 'b'.repeat(17 * 1024)]),
  withHeaders(['x-folded', 'a\r\n b']),
  withHeaders(['host', '']),
  withHeaders(['host', '"><script>']),
  withHeaders(['host', 'a'], ['host', 'b']),
  withHeaders(['no-host', '']),
];

/** Generates invalid HTTP requests by damaging valid ones. */
export function brokenHttp(plans: Arbitrary<RequestPlan>): Arbitrary<RequestPlan> {
  return fc
    .tuple(plans, fc.constantFrom(...damages))
    .map(([plan, damage]) => ({ ...damage(plan), bodyValue: null, isBrokenHttp: true }));
}
