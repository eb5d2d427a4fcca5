import { describe, expect, it } from 'vitest';
import { rewritePath } from '../../../../src/inbound/http/rewrite-path.ts';

describe('rewritePath', () => {
  it.each([
    ['/', '/'],
    ['/?a=/', '/?a=/'],
    ['/images/', '/images'],
    ['/images/?limit=2&cursor=a/', '/images?limit=2&cursor=a/'],
    ['/images/img_1/', '/images/img_1'],
    ['/images//', '/images/'],
    ['/docs/', '/docs'],
    ['/docs/api/', '/docs/api/'],
    ['/docs/api/static/', '/docs/api/static/'],
    ['/images/generations/', '/v1/images/generations'],
    ['/v1//models/', '/v1/models'],
    ['/files/upl_1', '/v1/files/upl_1'],
    ['/files/acme/img_1/0.png?signature=a', '/files/acme/img_1/0.png?signature=a'],
    ['/files/other', '/files/other'],
    ['/files/', '/v1/files'],
    ['/files//', '/v1/files'],
    ['//v1//images//generations', '/v1/images/generations'],
    ['//images/generations?a=//', '/v1/images/generations?a=//'],
    ['/v1/v1/images/edits', '/v1/images/edits'],
    ['//images', '//images'],
    ['//models', '/v1/models'],
    ['/models', '/models'],
    ['/v10/models', '/v10/models'],
    ['/console/jobs/img_1', '/console/jobs/img_1'],
    ['/console/jobs/%E0%A4%A', '/console'],
    ['/images/%E0%A4%A', '/images/%E0%A4%A'],
  ])('rewrites %s to %s', (url, path) => {
    expect(rewritePath(url)).toBe(path);
  });

  it('takes time in proportion to the length of a path of slashes', () => {
    const started = performance.now();
    rewritePath(`${'/'.repeat(60_000)}x`);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
