import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import { storageNamed, storageNames } from '../../../../src/outbound/storage/registry.ts';

const complete = {
  STORAGE: 's3',
  S3_BUCKET: 'images',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 's3cr3t',
};

describe('the storage registry', () => {
  it('selects every registered storage with STORAGE', () => {
    expect(storageNames).toEqual(['filesystem', 's3']);
    for (const STORAGE of storageNames)
      expect(loadConfig({ ...complete, STORAGE }, 'tool').STORAGE).toBe(STORAGE);
  });

  it('refuses an unknown storage with the names of the known ones', () => {
    expect(() => loadConfig({ STORAGE: 'tape' }, 'tool')).toThrow('STORAGE: must be one of filesystem, s3');
  });

  it('describes the location of a storage without its secrets', () => {
    const config = loadConfig(complete, 'tool');
    const described = storageNamed('s3').describe(config, { dataDir: '/data' });
    expect(described).toBe('s3, bucket images');
    expect(storageNamed('filesystem').describe(config, { dataDir: '/data' })).toBe(
      'filesystem, /data/images',
    );
  });

  it('requires a variable only if its storage is selected', () => {
    const config = loadConfig({}, 'tool');
    expect(storageNamed('s3').check(config, { isSelected: false })).toEqual([]);
    expect(storageNamed('s3').check(config, { isSelected: true })).toEqual([
      'S3_BUCKET: needed because STORAGE is s3',
    ]);
  });
});
