import { describe, expect, it } from 'vitest';
import { createTenantSlots } from '../../../src/lib/tenant-slots.ts';

describe('createTenantSlots', () => {
  it('limits one tenant to its share of slots and leaves the rest to other tenants', () => {
    const slots = createTenantSlots({ max: 5, maxPerTenant: 3 });
    const acme = [1, 2, 3, 4].map(() => slots.enter('acme'));
    expect(acme.map((leave) => leave !== null)).toEqual([true, true, true, false]);
    expect(slots.enter('other')).not.toBeNull();
    acme[0]?.();
    expect(slots.enter('acme')).not.toBeNull();
    expect(slots.enter('acme')).toBeNull();
  });

  it('frees a slot when its holder leaves and never exceeds the maximum', () => {
    const slots = createTenantSlots({ max: 2, maxPerTenant: 2 });
    const leave = slots.enter('a');
    slots.enter('b');
    expect(slots.enter('c')).toBeNull();
    leave?.();
    expect(slots.enter('c')).not.toBeNull();
  });
});
