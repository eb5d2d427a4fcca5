import { describe, expect, it } from 'vitest';
import {
  filesystemError,
  unusableFolder,
} from '../../../../../src/outbound/storage/filesystem/filesystem-errors.ts';

function failed(code: string) {
  return Object.assign(new Error(`${code}: write '/srv/images/acme'`), { code });
}

describe('filesystemError', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EMFILE', 'EIO'])('%s passes, so it is worth a retry', (code) => {
    expect(filesystemError(failed(code))).toMatchObject({ code: 'storage_unavailable', cause: failed(code) });
  });

  it.each(['EACCES', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP'])('%s needs a person', (code) => {
    expect(filesystemError(failed(code))).toMatchObject({ code: 'storage_failed', cause: failed(code) });
  });

  it('callers learn no paths', () => {
    expect(filesystemError(failed('EACCES')).message).not.toContain('/srv');
  });
});

describe('unusableFolder', () => {
  it.each([
    ['EACCES', /"\/srv\/images": it is not writable.*Change its owner or permissions/],
    ['EROFS', /read-only file system\. Mount a writable volume/],
    ['ENOSPC', /the disk is full\. Free some space/],
    ['ENXIO', /Check the folder and its disk.*\(ENXIO\)/],
  ])('%s: says what is wrong and what to do', (code, words) => {
    const error = unusableFolder('/srv/images', failed(code));
    expect(error).toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(words) });
  });
});
