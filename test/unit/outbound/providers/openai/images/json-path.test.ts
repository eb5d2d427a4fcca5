import { describe, expect, it } from 'vitest';
import {
  createJsonPath,
  eventPaths,
  responsePaths,
} from '../../../../../../src/outbound/providers/openai/images/json-path.ts';

describe('the position in a JSON text', () => {
  it.each([
    ['responses', responsePaths],
    ['events', eventPaths],
  ])('is compared with known paths without reading the names above it: %s', (_name, paths) => {
    let reads = 0;
    const name = () => {
      reads += 1;
      return 'x';
    };
    // Counts every read of the text of a name.
    const counted = { toString: name, valueOf: name, [Symbol.toPrimitive]: name } as unknown as string;
    const path = createJsonPath(paths);
    for (let depth = 0; depth < 200; depth += 1) {
      path.open('object');
      path.key(counted);
      path.value();
    }
    path.open('array');
    for (let texts = 0; texts < 200; texts += 1)
      expect([path.atLink(), path.atImage()]).toEqual([false, false]);
    expect(reads).toBeLessThanOrEqual(200);
  });

  it('is no image below a container that stands in place of a name', () => {
    const path = createJsonPath(responsePaths);
    path.open('object');
    path.open('array');
    expect([path.atLink(), path.atImage()]).toEqual([false, false]);
  });

  it('is found again after other containers were closed', () => {
    const path = createJsonPath(responsePaths);
    path.open('object');
    path.key('data');
    path.value();
    path.open('array');
    path.open('object');
    path.close();
    path.next();
    expect(path.atLink()).toBe(true);
    path.open('object');
    path.key('b64_json');
    path.value();
    expect([path.atLink(), path.atImage()]).toEqual([false, true]);
  });
});
