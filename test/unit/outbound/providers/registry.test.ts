import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import {
  findDecoder,
  providerNamed,
  providerNames,
  selectedProvider,
} from '../../../../src/outbound/providers/registry.ts';

const selected = (env: Record<string, string>) => selectedProvider(loadConfig(env, 'tool')).name;

describe('the provider registry', () => {
  it('selects every registered provider with PROVIDER', () => {
    expect(providerNames).toEqual(['openai', 'studio']);
    for (const PROVIDER of providerNames)
      expect(selected({ PROVIDER, OPENAI_API_KEY: 'sk-1' })).toBe(PROVIDER);
  });

  it('selects openai if a key is given and studio otherwise', () => {
    expect(selected({ OPENAI_API_KEY: 'sk-1' })).toBe('openai');
    expect(selected({})).toBe('studio');
  });

  it('refuses an unknown provider with the names of the known ones', () => {
    expect(() => loadConfig({ PROVIDER: 'tape' }, 'tool')).toThrow('PROVIDER: must be one of openai, studio');
  });

  it('requires the key of openai only if openai is selected and the process makes calls', () => {
    const config = loadConfig({}, 'tool');
    const { check } = providerNamed('openai');
    expect(check(config, { isSelected: true, makesCalls: true })).toEqual([
      'OPENAI_API_KEY: needed because PROVIDER is openai',
    ]);
    expect(check(config, { isSelected: true, makesCalls: false })).toEqual([]);
    expect(check(config, { isSelected: false, makesCalls: true })).toEqual([]);
  });

  it('has a decoder for every provider in any configuration, and none for unknown providers', () => {
    for (const name of providerNames) expect(findDecoder(name)).toBeTypeOf('function');
    expect(findDecoder('of-tomorrow')).toBeUndefined();
  });

  it('describes a provider without its key', () => {
    const config = loadConfig(
      { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'https://u:p@gw.example/v1' },
      'tool',
    );
    expect(providerNamed('openai').describe(config)).toBe('openai at gw.example');
  });
});
