import { describe, expect, it } from 'vitest';
import {
  maxSocketPathBytes,
  socketPathInside,
  socketPathOutside,
} from '../../../../src/local/redis/socket-path.ts';

describe('socketPathOutside', () => {
  const long = `/data/${'x'.repeat(200)}/redis`;

  it('is short however long the data folder or the temporary folder is', () => {
    expect(Buffer.byteLength(socketPathInside(long))).toBeGreaterThan(maxSocketPathBytes);
    for (const tmp of ['/tmp', `/var/${'t'.repeat(90)}`, `/${'ü'.repeat(45)}`]) {
      expect(Buffer.byteLength(socketPathOutside(long, tmp, 1000))).toBeLessThanOrEqual(maxSocketPathBytes);
    }
  });

  it('is the same at every start and differs between data folders and users', () => {
    const paths = [
      socketPathOutside(long, '/tmp', 1000),
      socketPathOutside(`${long}2`, '/tmp', 1000),
      socketPathOutside(long, '/tmp', 1001),
    ];
    expect(new Set(paths).size).toBe(3);
    expect(socketPathOutside(long, '/tmp', 1000)).toBe(paths[0]);
  });
});
