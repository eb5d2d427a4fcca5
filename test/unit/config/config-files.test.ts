import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, loadValues } from '../../../src/config/config.ts';
import { minimalEnvironment, serviceConfig, serviceFaults } from '../../support/configuration.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('secret files', () => {
  it('reads a secret from NAME_FILE without its final line break', async () => {
    const file = join(await temporaryFolder(), 'key');
    await writeFile(file, 'sk-from-a-file\n');
    const config = serviceConfig({ PROVIDER: 'openai', OPENAI_API_KEY_FILE: file });
    expect(config.OPENAI_API_KEY).toBe('sk-from-a-file');
    expect(config.sources.OPENAI_API_KEY).toBe('file');
  });

  it('reads every variable from its NAME_FILE', async () => {
    const folder = await temporaryFolder();
    const given: Record<string, string> = {
      ...minimalEnvironment,
      PORT: '8123',
      ROLES: 'api',
      LINK_TTL_S: '61',
    };
    const env: Record<string, string> = {};
    for (const [name, text] of Object.entries(given)) {
      await writeFile(join(folder, name), `${text}\n`);
      env[`${name}_FILE`] = join(folder, name);
    }
    expect(loadConfig(env, 'serve')).toMatchObject({ PORT: 8123, LINK_TTL_S: 61, roles: new Set(['api']) });
  });

  it('prefers the plain variable to its NAME_FILE', async () => {
    const file = join(await temporaryFolder(), 'port');
    await writeFile(file, '1');
    expect(serviceConfig({ PORT: '2', PORT_FILE: file })).toMatchObject({
      PORT: 2,
      sources: { PORT: 'environment' },
    });
  });

  it('reports an unreadable secret file and an invalid value in a file together with all other faults', async () => {
    const file = join(await temporaryFolder(), 'port');
    await writeFile(file, 'eighty');
    await chmod(file, 0o600);
    const faults = serviceFaults({
      ...minimalEnvironment,
      ADMIN_KEY_FILE: '/does/not/exist',
      PORT_FILE: file,
      LOG_LEVEL: 'loud',
    });
    expect(faults).toHaveLength(3);
    expect(faults.join('\n')).toMatch(/ADMIN_KEY_FILE: .*\/does\/not\/exist/);
    expect(faults.join('\n')).toMatch(/^PORT: must be a whole number from 0 to 65535$/m);
  });

  it.each([
    ['a byte order mark and Windows line ends', '\ufeffsk-key\r\n'],
    ['empty lines at both ends', '\n\nsk-key\n\n'],
  ])('reads a secret from a file with %s', async (_name, content) => {
    const file = join(await temporaryFolder(), 'key');
    await writeFile(file, content);
    const env = { PROVIDER: 'openai', OPENAI_API_KEY: ' ', OPENAI_API_KEY_FILE: `${file}\n` };
    expect(serviceConfig(env).OPENAI_API_KEY).toBe('sk-key');
  });

  it('refuses a secret file in another encoding than UTF-8', async () => {
    const file = join(await temporaryFolder(), 'key');
    await writeFile(file, '\ufeffsk-key\r\n', 'utf16le');
    expect(serviceFaults({ ...minimalEnvironment, OPENAI_API_KEY_FILE: file })).toEqual([
      'OPENAI_API_KEY: must be UTF-8 text',
    ]);
  });

  it('treats a variable with an empty file as unset', async () => {
    const file = join(await temporaryFolder(), 'port');
    await writeFile(file, '\n');
    expect(serviceConfig({ PORT_FILE: file }).PORT).toBe(8080);
  });
});

describe('data files', () => {
  const faultIn = async (name: 'CATALOGUE_FILE' | 'PRESETS_FILE', content: string) => {
    const path = join(await temporaryFolder(), 'data.json');
    await writeFile(path, content);
    const faults = serviceFaults({ ...minimalEnvironment, [name]: path, PORT: 'eighty' });
    expect(faults).toHaveLength(2);
    const fault = faults.find((each) => !each.startsWith('PORT')) ?? '';
    expect(fault).toMatch(/^[A-Z_]+: \S+\/data\.json is not valid.*$/);
    return fault.replace(path, 'PATH');
  };

  it('reports a missing data file as a fault of its variable', () => {
    expect(
      serviceFaults({ ...minimalEnvironment, CATALOGUE_FILE: '/not/there.json', PRESETS_FILE: '/' }),
    ).toEqual([
      expect.stringMatching(/^CATALOGUE_FILE: \/not\/there\.json cannot be read: ENOENT/),
      expect.stringMatching(/^PRESETS_FILE: \/ cannot be read: EISDIR/),
    ]);
  });

  it.each([
    ['{\n  "models": [],\n}', /line 3 column 1$/],
    ['{ "models": [],\n\n  "price_version": s3cr3t }', /JSON/],
    ['sk-s3cr3t', /JSON/],
    ['{ "models": [', /JSON/],
  ])(
    'reports invalid JSON in a data file by its position and without its content: %j',
    async (content, position) => {
      const fault = await faultIn('CATALOGUE_FILE', content);
      expect(fault).toMatch(/^CATALOGUE_FILE: PATH is not valid JSON(, line \d+ column \d+)?$/);
      expect(fault).toMatch(position);
      expect(fault).not.toContain('s3cr3t');
    },
  );

  it('reports the path of every schema violation in a data file', async () => {
    const catalogue = {
      models: [
        { id: 'a', status: 'current' },
        { id: 'a', status: 'new', size: 1 },
      ],
    };
    const fault = await faultIn('CATALOGUE_FILE', JSON.stringify(catalogue));
    for (const position of ['/price_version', '/models/1/status', '/models/1'])
      expect(fault).toContain(`at ${position}: `);
    const preset = { name: 'a', description: 'x', template: 'no mark' };
    expect(await faultIn('PRESETS_FILE', JSON.stringify({ presets: [preset] }))).toBe(
      'PRESETS_FILE: PATH is not valid at /presets/0/template: must hold {{prompt}}',
    );
  });

  it('reports a name that occurs twice in a data file', async () => {
    const model = { id: 'a', status: 'current' };
    const catalogue = { price_version: '1', models: [model, model] };
    expect(await faultIn('CATALOGUE_FILE', JSON.stringify(catalogue))).toMatch(
      /at \/models\/1: lists a twice$/,
    );
  });

  it('reads single values even if a data file is missing', () => {
    const env = { CATALOGUE_FILE: '/not/there.json', PORT: '8123' };
    expect(loadValues(['HOST', 'PORT'], env)).toEqual({ HOST: '0.0.0.0', PORT: 8123 });
    expect(() => loadValues(['PORT'], { PORT: 'eighty' })).toThrow(ConfigError);
  });
});
