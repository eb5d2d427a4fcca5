import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { describeConfig } from '../../../src/config/describe-config.ts';
import { variables } from '../../../src/config/variables.ts';
import { minimalEnvironment, secretsKey, serviceConfig } from '../../support/configuration.ts';

describe('describeConfig', () => {
  it('hides the password and the key in a URL', () => {
    const config = serviceConfig({
      OPENAI_BASE_URL: 'https://user:pa55@llm.example/v1?api-version=1&api-key=s3cr3t',
    });
    const shown = describeConfig(config).find(({ name }) => name === 'OPENAI_BASE_URL')?.value;
    expect(shown).toBe('https://hidden:hidden@llm.example/v1?api-version=1&api-key=hidden');
  });

  it('hides every secret that is set and shows all other values with their source', () => {
    const secrets = {
      ...minimalEnvironment,
      OPENAI_API_KEY: 'sk-s3cr3t',
      API_KEYS: 'acme:s3cr3t-key',
      ADMIN_KEY: 's3cr3t-admin',
      DARKROOM_API_KEY: 's3cr3t-key',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 9).toString('base64')}`,
      S3_ACCESS_KEY_ID: 's3cr3t-id',
      S3_SECRET_ACCESS_KEY: 's3cr3t',
    };
    const described = describeConfig(loadConfig({ ...secrets, PORT: '8123' }, 'serve'));
    const text = JSON.stringify(described);
    for (const secret of ['s3cr3t', 'pa55word', secretsKey, secrets.WEBHOOK_SECRET, 'whsec_'])
      expect(text).not.toContain(secret);
    const shownAs = (name: string) => described.find((each) => each.name === name);
    expect(shownAs('ADMIN_KEY')).toEqual({ name: 'ADMIN_KEY', value: '(hidden)', source: 'environment' });
    expect(shownAs('PORT')).toEqual({ name: 'PORT', value: '8123', source: 'environment' });
    expect(shownAs('ROLES')).toEqual({ name: 'ROLES', value: 'api,worker,webhooks', source: 'default' });
    expect(shownAs('S3_BUCKET')).toEqual({ name: 'S3_BUCKET', value: '', source: 'unset' });
  });

  it('shows the values that dev creates itself, without its secrets', () => {
    const shownBy = (mode: 'serve' | 'dev', env: Record<string, string>) =>
      new Map(
        describeConfig(loadConfig(env, mode))
          .filter(({ source }) => source === 'derived')
          .map(({ name, value }) => [name, value]),
      );
    expect(shownBy('dev', {})).toEqual(
      new Map([
        ['PUBLIC_URL', 'the address of each request'],
        ['REDIS_URL', 'the Redis of dev, data in ./.darkroom/redis'],
        ['PROVIDER', 'studio'],
        ['SECRETS_KEY', '(hidden), in ./.darkroom/secrets-key'],
        ['DARKROOM_URL', 'http://localhost:8080'],
        ['DARKROOM_API_KEY', '(hidden), in ./.darkroom/dev-api-key'],
      ]),
    );
    expect([...shownBy('serve', minimalEnvironment).keys()]).not.toContain('SECRETS_KEY');
  });

  it('the description of a configuration lists every variable', () => {
    expect(describeConfig(serviceConfig()).map((each) => each.name)).toEqual(Object.keys(variables));
  });
});
