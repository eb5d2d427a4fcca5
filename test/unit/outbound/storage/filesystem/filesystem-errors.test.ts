import { describe, expect, it } from 'vitest';
import {
  filesystemError,
  unusableFolder,
} from '../../../../../src/outbound/storage/filesystem/filesystem-errors.ts';

function failed(code: string) {
  return Object.assign(new Error(`${code}: write '/srv/images/acme'`), { code });
}

describe('filesystemError', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EMFILE', 'EIO'])(
    'treats the filesystem error %s as temporary and retryable',
    (code) => {
      expect(filesystemError(failed(code))).toMatchObject({
        code: 'storage_unavailable',
        cause: failed(code),
      });
    },
  );

  it.each(['EACCES', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP'])(
    'treats the filesystem error %s as permanent until an operator acts',
    (code) => {
      expect(filesystemError(failed(code))).toMatchObject({ code: 'storage_failed', cause: failed(code) });
    },
  );

  it('hides paths from callers', () => {
    expect(filesystemError(failed('EACCES')).message).not.toContain('/srv');
  });
});

describe('unusableFolder', () => {
  it.each([
    ['EACCES', /"\/srv\/images": it is not writable.*Change its owner or permissions/],
    ['EROFS', /read-only file system\. Mount a writable volume/],
    ['ENOSPC', /the disk is full\. Free some space/],
    ['ENXIO', /Check the folder and its disk.*\(ENXIO\)/],
  ])('reports the cause and the remedy of a filesystem error: %s', (code, words) => {
    const error = unusableFolder('/srv/images', failed(code));
    expect(error).toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(words) });
  });
});
