import { describe, expect, it } from 'vitest';
import { createTenantSlots } from '../../../src/lib/tenant-slots.ts';

describe('createTenantSlots', () => {
  it('limits one tenant to its share of slots and leaves the rest to other tenants', () => {
    const places = createTenantSlots({ max: 5, maxPerTenant: 3 });
    const acme = [1, 2, 3, 4].map(() => places.enter('acme'));
    expect(acme.map((leave) => leave !== null)).toEqual([true, true, true, false]);
    expect(places.enter('other')).not.toBeNull();
    acme[0]?.();
    expect(places.enter('acme')).not.toBeNull();
    expect(places.enter('acme')).toBeNull();
  });

  it('frees a slot when its holder leaves and never exceeds the maximum', () => {
    const places = createTenantSlots({ max: 2, maxPerTenant: 2 });
    const leave = places.enter('a');
    places.enter('b');
    expect(places.enter('c')).toBeNull();
    leave?.();
    expect(places.enter('c')).not.toBeNull();
  });
});
