import { describe, expect, it } from 'vitest';
import {
  maxSocketPathBytes,
  socketPathInside,
  socketPathOutside,
} from '../../../../src/local/redis/socket-path.ts';

describe('socketPathOutside', () => {
  const long = `/data/${'x'.repeat(200)}/redis`;

  it('creates a short socket path for data folders and temporary folders of any length', () => {
    expect(Buffer.byteLength(socketPathInside(long))).toBeGreaterThan(maxSocketPathBytes);
    for (const tmp of ['/tmp', `/var/${'t'.repeat(90)}`, `/${'ü'.repeat(45)}`]) {
      expect(Buffer.byteLength(socketPathOutside(long, tmp, 1000))).toBeLessThanOrEqual(maxSocketPathBytes);
    }
  });

  it('returns the same socket path at every start and different paths for other data folders and users', () => {
    const paths = [
      socketPathOutside(long, '/tmp', 1000),
      socketPathOutside(`${long}2`, '/tmp', 1000),
      socketPathOutside(long, '/tmp', 1001),
    ];
    expect(new Set(paths).size).toBe(3);
    expect(socketPathOutside(long, '/tmp', 1000)).toBe(paths[0]);
  });
});
