import { describe, expect, it } from 'vitest';
import { welcome } from '../../../../src/inbound/cli/dev.ts';

const service = {
  url: 'http://localhost:8080',
  publicUrl: undefined,
  redis: 'managed Redis',
  storage: 'filesystem',
  provider: 'studio',
  devApiKey: 'dkr_key',
  signInToken: 'once',
  roles: ['api'],
} as const;

describe('the first output of dev', () => {
  it('prints the address and the dependencies of dev, with a command for that address', () => {
    const text = welcome(service, '1.2.3');
    expect(text).toContain(
      'Darkroom 1.2.3 listens on http://localhost:8080\n\n  Console    http://localhost:8080/console#token=once\n  Redis      managed Redis\n',
    );
    expect(text).toContain("curl -s http://localhost:8080/images -H 'Authorization: Bearer dkr_key'");
    expect(text).not.toContain('Links');
  });

  it('prints PUBLIC_URL if it is set, with a command that calls the local address', () => {
    const text = welcome({ ...service, publicUrl: 'https://images.example' }, '1.2.3');
    expect(text).toContain('\n  Links      https://images.example\n  Redis ');
    expect(text).toContain('curl -s http://localhost:8080/images');
  });
});
