import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../../src/outbound/webhooks/public-address.ts';
import { publicAddresses, reservedAddresses } from '../../../support/hostile-destinations.ts';

describe('isPublicAddress', () => {
  it.each(publicAddresses)('an address outside the reserved ranges is public: %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([...reservedAddresses, '127.0.0.1', '::1', '::', '0.0.0.0'])(
    'treats %s as not public',
    (address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );

  it.each([
    '',
    'example.com',
    '8.8.8',
    '0x08080808',
    '010.8.8.8',
    '134744072',
    '[2606:4700::1]',
    '2606:4700::1%eth0',
    '8.8.8.8:80',
  ])('treats an address in an unusual spelling as not public: "%s"', (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });

  it('treats an IPv6 address that carries IPv4 as not public, for any IPv4 address', () => {
    const prefixes = ['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'];
    const group = fc.nat(0xffff).map((part) => part.toString(16));
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), group, group, (prefix, high, low) => {
        return !isPublicAddress(`${prefix}${high}:${low}`);
      }),
    );
    fc.assert(fc.property(group, group, (high, low) => !isPublicAddress(`2002:${high}:${low}::1`)));
  });
});
