import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const types = { 4: 1, 6: 28 } as const;
const headerBytes = 12;
const noSuchName = 3;

/** Returns name and type of the first question, and the offset of its end. */
function questionOf(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** Returns the bytes of an address. IPv6 addresses are `::1` or have eight groups. */
function bytesOfAddress(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const groups = address === '::1' ? [...Array<string>(7).fill('0'), '1'] : address.split(':');
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** Creates a DNS response (RFC 1035) with one address or none. */
function responseTo(message: Buffer, address: string | undefined): Buffer {
  const { type, end } = questionOf(message);
  const data = bytesOfAddress(address ?? '');
  const hasResponse = address !== undefined && type === (address.includes(':') ? types[6] : types[4]);
  const header = Buffer.from(message.subarray(0, headerBytes));
  header.writeUInt16BE(0x8180 | (address === undefined ? noSuchName : 0), 2);
  header.writeUInt16BE(hasResponse ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, headerBytes, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
  return Buffer.concat([header, message.subarray(headerBytes, end), ...(hasResponse ? [record, data] : [])]);
}

/**
 * Starts a name server on loopback, which ends with the test.
 *
 * @param addresses returns the address of a name, `null` to send no response, or `undefined` if the name does not exist. It is
 *   called for each question: one for IPv4 and one for IPv6.
 */
export async function startNameServer(addresses: (name: string, family: 4 | 6) => string | null | undefined) {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, from) => {
    const { name, type } = questionOf(message);
    asked.push(name);
    const address = addresses(name, type === types[6] ? 6 : 4);
    if (address !== null) socket.send(responseTo(message, address), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}
