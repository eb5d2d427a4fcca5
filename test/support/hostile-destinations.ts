/** Loopback and "this host" in every spelling. */
const loopbackHosts = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '127.8.8.8',
  '2130706433',
  '0x7f000001',
  '0x7F.1',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '0177.1',
  '017700000001',
  '0',
  '0x0',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[::FFFF:0.0.0.0]',
  // Full-width digits, then the full-width, ideographic and half-width ideographic full stops.
  '\uff11\uff12\uff17.\uff10.\uff10.\uff11',
  '127\uff0e0\uff0e0\uff0e1',
  '127\u30020\u30020\u30021',
  '127\uff610\uff610\uff611',
  // Mathematical bold and circled digits, and an ignored soft hyphen.
  '\u{1d7cf}\u{1d7d0}\u{1d7d5}.\u{1d7ce}.\u{1d7ce}.\u{1d7cf}',
  '\u2460\u2461\u2466.\u24ea.\u24ea.\u2460',
  '127.0\u00ad.0.1',
  '%31%32%37.0.0.1',
  '127%2e0%2e0%2e1',
  '12\t7.0.0.1',
  '127.0\n.0.1',
  'localhost',
  'LocalHost',
  'loc%61lhost',
  '\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54',
];

/** Returns URLs of loopback. A program that filters only resolved names connects to them. */
export function loopbackUrls(port: number): string[] {
  return [
    ...loopbackHosts.map((host) => `http://${host}:${port}/hook`),
    `http:\\\\127.0.0.1:${port}\\hook`,
    `http:127.0.0.1:${port}/hook`,
    `http:////127.0.0.1:${port}/hook`,
    `  HTTP://127.0.0.1:${port}/hook`,
  ];
}

/** Reserved addresses in the spelling of the system, without loopback. */
export const reservedAddresses: readonly string[] = [
  // Private, shared and "this network".
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255'],
  ...['100.64.0.1', '100.100.100.200', '100.127.255.255', '0.1.2.3'],
  // Link-local, with the metadata services of the clouds.
  ...[
    '169.254.169.254',
    '169.254.170.2',
    '169.254.0.1',
    '168.63.129.16',
    'fd00:ec2::254',
    'fe80::1',
    'febf::1',
  ],
  // Protocol assignments, documentation, benchmarking, relays, multicast, reserved, broadcast.
  ...['192.0.0.1', '192.0.0.192', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '198.19.255.255'],
  ...['192.88.99.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  // IPv6 that carries IPv4: compatible, mapped (even to a public address), translated, 6to4, Teredo, NAT64.
  ...['::7f00:1', '::a00:1', '::808:808', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:0:7f00:1'],
  ...['2002:7f00:1::', '2002:a9fe:a9fe::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ...['64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b::808:808', '64:ff9b:1::a00:1'],
  // Unique local, site-local, documentation, discard, benchmarking, segment routing, multicast, unassigned.
  ...[
    'fc00::1',
    'fdff:ffff::1',
    'fec0::1',
    'feff::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '2001:2::1',
    '5f00::1',
  ],
  ...['ff02::1', 'ff0e::1', '2001:10::1', '2001:20::1', '2001:30::1', '1::1', '200::1', '4000::1', 'e000::1'],
];

/** Public addresses, at least one beside each reserved range. */
export const publicAddresses: readonly string[] = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1', '172.15.255.255'],
  ...['172.32.0.1', '169.253.255.255', '192.167.255.255', '198.17.255.255', '198.20.0.1', '223.255.255.255'],
  ...['168.63.129.17', '2606:4700:4700::1111', '2a00:1450:4001:81b::200e', '2001:4860:4860::8888', '3000::1'],
];

/** Forbidden URLs of other kinds: wrong schemes, credentials, ports of internal services, local names. */
export const malformedUrls: readonly string[] = [
  ...[
    '',
    'receiver.example/hook',
    '//receiver.example/hook',
    '/hook',
    'https://',
    'https://[::1',
    'https://a b/',
  ],
  ...['https://receiver.example:65536/', 'https://1.2.3.4.5/', 'https://256.1.1.1/', 'https://0x100000000/'],
  ...['ftp://receiver.example/', 'file:///etc/passwd', 'gopher://receiver.example/', 'javascript:alert(1)'],
  ...[
    'data:text/plain,x',
    'unix:/var/run/docker.sock',
    'ws://receiver.example/',
    'http+unix://%2Fvar%2Frun/',
  ],
  ...[
    'https://user@receiver.example/',
    'https://user:pass@receiver.example/',
    'https://:pass@receiver.example/',
  ],
  ...[
    'https://receiver.example@127.0.0.1/',
    'https://receiver.example/hook#part',
    `https://${'a.'.repeat(127)}com/`,
  ],
  ...[1, 22, 23, 25, 110, 143, 389, 445, 465, 587, 636, 873].map(
    (port) => `https://receiver.example:${port}/`,
  ),
  ...[2049, 2375, 2376, 2379, 3306, 3389, 5432, 5672, 5900, 6000].map(
    (port) => `https://receiver.example:${port}/`,
  ),
  ...[6379, 6443, 6667, 8500, 9200, 9300, 10250, 11211, 27017].map(
    (port) => `https://receiver.example:${port}/`,
  ),
  ...[
    'https://localhost/',
    'https://localhost./',
    'https://app.localhost/',
    'https://printer.local/',
    'https://redis/',
  ],
  ...[
    'https://metadata.google.internal/',
    'https://db.internal./',
    'https://router.lan/',
    'https://nas.home.arpa/',
  ],
  ...['https://kubernetes.default.svc.cluster.local/', 'https://wiki.corp/', 'https://host.localdomain/'],
];

/** Returns the URL of an address. */
export function urlOfAddress(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/hook`;
}
