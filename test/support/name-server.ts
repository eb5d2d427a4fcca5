import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const typeA = 1;
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

/** Creates a DNS response (RFC 1035) with one IPv4 address or none. */
function responseTo(message: Buffer, address: string | undefined): Buffer {
  const { type, end } = questionOf(message);
  const hasResponse = type === typeA && address !== undefined;
  const header = Buffer.from(message.subarray(0, headerBytes));
  header.writeUInt16BE(0x8180 | (address === undefined ? noSuchName : 0), 2);
  header.writeUInt16BE(hasResponse ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4]);
  const data = Buffer.from((address ?? '').split('.').map(Number));
  return Buffer.concat([header, message.subarray(headerBytes, end), ...(hasResponse ? [record, data] : [])]);
}

/**
 * Starts a name server on loopback, which ends with the test.
 *
 * @param addresses returns the address of a name, `null` to send no response, or `undefined` if the name does not exist.
 */
export async function startNameServer(addresses: (name: string) => string | null | undefined) {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, from) => {
    const { name } = questionOf(message);
    asked.push(name);
    const address = addresses(name);
    if (address !== null) socket.send(responseTo(message, address), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}
