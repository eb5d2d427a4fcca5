import { describe, expect, it } from 'vitest';
import { createSharedSlots, createTenantSlots } from '../../../src/lib/tenant-slots.ts';

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

describe('createSharedSlots', () => {
  it.each([
    [1, 64],
    [2, 42],
    [3, 32],
  ])('gives each of %i tenants %i of 128 slots, and a slot to a further tenant', (tenants, each) => {
    const slots = createSharedSlots(128);
    const names = Array.from({ length: tenants }, (_, i) => `tenant-${i}`);
    const taken = new Map(names.map((name) => [name, 0]));
    for (let round = 0; round < 128; round += 1) {
      for (const name of names) if (slots.enter(name)) taken.set(name, (taken.get(name) ?? 0) + 1);
    }
    for (const name of names) expect(Math.abs((taken.get(name) ?? 0) - each)).toBeLessThanOrEqual(1);
    expect(slots.enter('another')).not.toBeNull();
  });

  it('lets a tenant that has half of the slots keep them, and gives others half of the rest', () => {
    const slots = createSharedSlots(8);
    const first = [1, 2, 3, 4, 5].map(() => slots.enter('first'));
    expect(first.map((leave) => leave !== null)).toEqual([true, true, true, true, false]);
    const second = [1, 2, 3].map(() => slots.enter('second'));
    expect(second.map((leave) => leave !== null)).toEqual([true, true, false]);
    for (const leave of first) leave?.();
    expect(slots.enter('second')).not.toBeNull();
  });

  it('gives a slot to every tenant while one is free, and never more than there are', () => {
    const slots = createSharedSlots(3);
    const entered = ['a', 'b', 'c', 'd'].map((name) => slots.enter(name) !== null);
    expect(entered).toEqual([true, true, true, false]);
    expect(createSharedSlots(1).enter('a')).not.toBeNull();
  });
});
