import { describe, expect, it } from 'vitest';
import { createNetworkList } from '../../../../src/outbound/webhooks/network-list.ts';

const networks = createNetworkList(['10.1.0.0/16', '192.168.7.9/32', 'fd12:3456::/32']);

describe('a list of networks', () => {
  it.each(['10.1.0.0', '10.1.255.255', '192.168.7.9', 'fd12:3456::1', 'fd12:3456:ffff::ffff'])(
    'a list of networks contains the addresses of its ranges: %s',
    (ip) => {
      expect(networks.holds(ip)).toBe(true);
    },
  );

  it.each([
    ...['10.0.255.255', '10.2.0.0', '192.168.7.8', '192.168.7.10', '127.0.0.1', '8.8.8.8'],
    ...['fd12:3457::1', 'fd13::', '::1', '2001:db8::1'],
  ])('does not contain the address %s', (ip) => {
    expect(networks.holds(ip)).toBe(false);
  });

  it.each([
    // Embedded IPv4 addresses do not count, because a translator decides their destination.
    ...['::ffff:10.1.0.1', '::ffff:a01:1', '::10.1.0.1', '64:ff9b::10.1.0.1', '2002:a01:1::'],
    // Text that is not an address in the spelling of the system does not match.
    ...['10.1', '0x0a010001', '167837697', '10.1.0.1:80', '[fd12:3456::1]', 'fd12:3456::1%eth0', 'ten', ''],
  ])('does not contain the text %j', (ip) => {
    expect(networks.holds(ip)).toBe(false);
  });

  it('contains no address if the list is empty', () => {
    for (const ip of ['10.1.0.1', '8.8.8.8', '::1', '::'])
      expect(createNetworkList([]).holds(ip)).toBe(false);
  });

  it('contains no IPv4 address in a list of all IPv6 addresses, and the reverse', () => {
    expect(createNetworkList(['0.0.0.0/0']).holds('::1')).toBe(false);
    expect(createNetworkList(['::/0']).holds('10.0.0.1')).toBe(false);
    expect(createNetworkList(['0.0.0.0/0']).holds('10.0.0.1')).toBe(true);
  });

  it('refuses a list entry that is not a network', () => {
    for (const text of ['10.0.0.0', '10.0.0.0/33', 'fd00::/129', 'example.com/8', '', '10.0.0.0/']) {
      expect(() => createNetworkList([text]), text).toThrow();
    }
  });
});
