import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { variables } from '../src/config/variables.ts';

/** Checks the container files as far as possible without a container engine. */

const root = new URL('..', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  image?: string;
  build?: string;
  environment?: Record<string, string>;
  env_file?: { path: string; required: boolean }[];
  command?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  pids_limit?: number;
  mem_limit?: string;
  logging?: { driver: string; options: Record<string, string> };
  ports?: string[];
  volumes?: string[];
  tmpfs?: string[];
  depends_on?: unknown;
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const roles = ['api', 'worker', 'webhooks'] as const;

/** Variables that docker-compose.yml sets itself, because they must match its other parts. */
const fixed = [
  'DATA_DIR',
  'HOST',
  'NODE_ENV',
  'OPENAI_API_KEY',
  'PORT',
  'REDIS_CLUSTER',
  'REDIS_URL',
  'ROLES',
  'S3_BUCKET',
  'S3_ENDPOINT',
  'S3_FORCE_PATH_STYLE',
  'S3_REGION',
  'SHUTDOWN_GRACE_S',
  'STORAGE',
];

/** Every variable in .env.example, uncommented and with a value of its own. */
function filledExample(): Record<string, string> {
  const names = [...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1] ?? '');
  return Object.fromEntries(names.map((name) => [name, `own-${name}`]));
}

/** Resolves the environment of a container as compose does: env_file first, environment over it, ${...} from .env. */
function environmentOf(service: Service | undefined, env: Record<string, string>): Record<string, string> {
  const files = service?.env_file?.some(({ path }) => path === '.env') ? env : {};
  const filled = Object.entries(service?.environment ?? {}).map(([name, value]) => [
    name,
    value.replace(
      /\$\{([A-Z0-9_]+)(?::[-?](?:[^{}]|\$\{[^}]*\})*)?\}/g,
      (_, source: string) => env[source] ?? '',
    ),
  ]);
  return { ...files, ...Object.fromEntries(filled) };
}

describe('the container image', () => {
  const dockerfile = read('Dockerfile');
  const final = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  it('runs node directly as an unprivileged user with a health check', () => {
    expect(final).toMatch(/^USER [1-9][0-9]*:[1-9][0-9]*$/m);
    expect(final).toMatch(/^HEALTHCHECK .*CMD \["node", /m);
    expect(final).toMatch(/^ENTRYPOINT \["node", "dist\/main\.js"\]$/m);
  });

  it('takes no secrets at build time and excludes development packages', () => {
    expect(dockerfile).not.toMatch(/^ARG /m);
    expect(dockerfile).toContain('npm ci --omit=dev --ignore-scripts');
    expect(final).toContain('--from=dependencies');
  });

  it('copies only files that exist', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      (match) => match[1]?.split(' ') ?? [],
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) expect(() => readFileSync(join(root, path))).not.toThrow(/ENOENT/);
  });
});

describe('docker-compose.yml', () => {
  it('runs the three roles with restricted rights', () => {
    for (const role of roles) {
      const service = compose.services[role];
      expect(service?.environment?.ROLES).toBe(role);
      expect(service?.read_only).toBe(true);
      expect(service?.cap_drop).toEqual(['ALL']);
    }
  });

  it('passes only known variables to Darkroom', () => {
    for (const role of roles) {
      for (const name of Object.keys(compose.services[role]?.environment ?? {}))
        expect(variables).toHaveProperty(name);
    }
  });

  it('passes every variable of .env.example to the three roles, except those it sets itself', () => {
    const env = filledExample();
    expect(Object.keys(env).length).toBeGreaterThan(50);
    for (const role of roles) {
      const given = environmentOf(compose.services[role], env);
      const replaced = Object.keys(env).filter((name) => given[name] !== env[name]);
      expect(replaced.sort()).toEqual(
        role === 'worker' ? fixed.filter((name) => name !== 'OPENAI_API_KEY') : fixed,
      );
      expect(given).toMatchObject({ ROLES: role, REDIS_URL: 'redis://:own-REDIS_PASSWORD@valkey:6379' });
    }
  });

  it('passes the provider key to workers only in docker-compose.yml', () => {
    const env = { OPENAI_API_KEY: 'sk-canary' };
    const withKey = Object.entries(compose.services).filter(([, service]) =>
      Object.values(environmentOf(service, env)).includes('sk-canary'),
    );
    expect(withKey.map(([name]) => name)).toEqual(['worker']);
  });

  it('publishes the ports of docker-compose.yml on loopback unless BIND_ADDRESS is set', () => {
    const published = Object.values(compose.services).flatMap(({ ports }) => ports ?? []);
    expect(published.length).toBeGreaterThan(1);
    for (const port of published) expect(port).toMatch(/^\$\{BIND_ADDRESS:-127\.0\.0\.1\}:/);
  });

  it('limits the rights, memory, processes and logs of every service in docker-compose.yml', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.any(String),
        pids_limit: expect.any(Number),
        logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
      });
    }
  });

  it('starts without a .env file, from the environment of compose alone', () => {
    for (const role of roles) expect(compose.services[role]?.env_file?.[0]?.required).toBe(false);
  });

  it('keeps accepted data in Redis: append-only file, no eviction, a password, no public port', () => {
    const command = compose.services.valkey?.command?.join(' ') ?? '';
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
    expect(command).toContain('--requirepass');
    expect(compose.services.valkey?.ports).toBeUndefined();
  });

  it('limits the memory of Redis below that of its container, so that Darkroom refuses work before the kernel ends Redis', () => {
    const { command = [], mem_limit } = compose.services.valkey ?? {};
    const bytesOf = (text = '') => {
      const [, amount, unit = ''] = /:-(\d+)([gm])b?\}$/.exec(text) ?? [];
      return Number(amount) * 1024 ** (unit === 'g' ? 3 : 2);
    };
    const share = bytesOf(command[command.indexOf('--maxmemory') + 1]) / bytesOf(mem_limit);
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThan(0.7);
  });

  it('receives the files of requests and the responses of the provider on disks, because they exceed the memory', () => {
    for (const role of ['api', 'worker'] as const) {
      const { volumes, tmpfs = [] } = compose.services[role] ?? {};
      expect(volumes, role).toEqual([expect.stringMatching(/^[a-z]+:\/data$/)]);
      expect(tmpfs, role).toEqual(['/tmp']);
    }
  });

  it('declares every volume that it mounts', () => {
    const mounted = [...read('docker-compose.yml').matchAll(/"([a-z]+):\/[a-z]/g)].map(
      (match) => match[1] ?? '',
    );
    expect(mounted.length).toBeGreaterThan(2);
    for (const name of mounted) expect(Object.keys(compose.volumes)).toContain(name);
  });

  it('lists every secret in .env.example', () => {
    const needed = [...read('docker-compose.yml').matchAll(/\$\{([A-Z0-9_]+):\?/g)].map(
      (match) => match[1] ?? '',
    );
    expect(needed.length).toBeGreaterThan(3);
    for (const name of new Set(needed)) expect(read('.env.example')).toMatch(new RegExp(`^${name}=`, 'm'));
  });
});
