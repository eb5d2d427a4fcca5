import { describe, expect, it } from 'vitest';
import { classifyBreak } from '../../../../../../src/outbound/providers/openai/client/classify-break.ts';

describe('the classification of a broken call', () => {
  it.each(['canceled', 'timeout', 'broken'] as const)(
    'reports no billing if nothing was sent before the call was %s',
    (reason) => {
      expect(classifyBreak({ sent: false, reason, timeoutMs: 1_000 })).toMatchObject({
        kind: 'refused',
        code: 'provider_unreachable',
        billing: 'none',
      });
    },
  );

  it.each(['canceled', 'timeout', 'broken'] as const)(
    'reports possible billing if something was sent before the call was %s',
    (reason) => {
      const provider = { status: 200, request_id: 'req_2' };
      expect(classifyBreak({ sent: true, reason, timeoutMs: 1_000, provider })).toMatchObject({
        kind: 'uncertain',
        code: 'provider_outcome_unknown',
        billing: 'possible',
        provider,
      });
    },
  );

  it('reports the error code of the transport', () => {
    const call = { sent: false, reason: 'broken', timeoutMs: 1, transportCode: 'ECONNREFUSED' } as const;
    expect(classifyBreak(call).message).toContain('ECONNREFUSED');
  });
});
