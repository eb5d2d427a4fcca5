import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Studio, type StudioCall, startStudio } from '../../src/local/studio/studio.ts';

/** The keys that every environment has, by tenant. */
export const testKeys = {
  acme: 'key-of-acme-for-tests',
  other: 'key-of-other-for-tests',
  admin: 'key-of-admin-for-tests',
} as const;

/** A deployment that is not running yet: its settings, its provider, its folder. */
export interface TestEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The provider: counts the calls that reach it. */
  readonly studio: Studio;
  readonly dataDir: string;
  /** Ends the provider and removes the folder. */
  remove(): Promise<void>;
}

/**
 * Settings of a deployment of its own on the shared Redis, whose provider is a studio in this process.
 *
 * @param overrides variables over the ones given here.
 */
export async function createEnvironment(overrides: Record<string, string> = {}): Promise<TestEnvironment> {
  const studio = await startStudio({ image: 'quick' });
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-e2e-'));
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'silent',
    SHUTDOWN_GRACE_S: '5',
    REDIS_URL: inject('redisPath'),
    REDIS_KEY_PREFIX: `e2e-${randomBytes(6).toString('hex')}`,
    DATA_DIR: dataDir,
    PROVIDER: 'openai',
    OPENAI_API_KEY: 'sk-of-the-tests',
    OPENAI_BASE_URL: studio.baseUrl,
    SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    API_KEYS: `acme:${testKeys.acme},other:${testKeys.other}`,
    ADMIN_KEY: testKeys.admin,
    ...overrides,
  };
  return {
    env,
    studio,
    dataDir,
    async remove() {
      await studio.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The calls for images that reached a studio, of those the ones whose prompt holds a text. */
export function imageCalls(studio: Studio, promptPart = ''): StudioCall[] {
  return studio.calls.filter(
    ({ path, prompt }) => path === '/v1/images/generations' && (prompt ?? '').includes(promptPart),
  );
}

/** The calls for descriptions that reached a studio. */
export function textCalls(studio: Studio, promptPart = ''): StudioCall[] {
  return studio.calls.filter(
    ({ path, prompt }) => path === '/v1/chat/completions' && (prompt ?? '').includes(promptPart),
  );
}
