import { expect, it } from 'vitest';
import { createCheckReadiness } from '../../../../src/usecases/maintenance/check-readiness.ts';

it('checks the dependencies at least every two seconds, also if the clock was set back', async () => {
  let nowMs = 7_200_000;
  let isDown = false;
  const checkReadiness = createCheckReadiness({
    checkStore: async () => {
      if (isDown) throw new Error('Redis does not reply.');
    },
    checkDurability: async () => ({ ok: true, detail: null }),
    checkMemory: () => ({ ok: true, detail: null }),
    storage: { check: async () => undefined },
    breaker: { list: async () => [] },
    isDraining: () => false,
    clock: () => nowMs,
  });
  expect(await checkReadiness()).toMatchObject({ ok: true });
  isDown = true;
  nowMs -= 3_600_000;
  expect(await checkReadiness()).toMatchObject({ ok: false });
  isDown = false;
  nowMs += 2_000;
  expect(await checkReadiness()).toMatchObject({ ok: true });
});
