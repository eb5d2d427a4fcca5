import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Studio, type StudioCall, startStudio } from '../../src/local/studio/studio.ts';

/** API keys of every environment, by tenant. */
export const testKeys = {
  acme: 'key-of-acme-for-tests',
  other: 'key-of-other-for-tests',
  admin: 'key-of-admin-for-tests',
} as const;

/** Settings, provider and folder of a deployment. No process runs yet. */
export interface TestEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The provider, which records its calls. */
  readonly studio: Studio;
  readonly dataDir: string;
  /** Stops the provider and removes the folder. */
  remove(): Promise<void>;
}

/**
 * Creates the settings of a new deployment on the shared Redis. Its provider is a studio in this process.
 *
 * @param overrides variables that replace the defaults.
 */
export async function createEnvironment(overrides: Record<string, string> = {}): Promise<TestEnvironment> {
  const studio = await startStudio({ image: 'quick' });
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-e2e-'));
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'silent',
    SHUTDOWN_GRACE_S: '5',
    // A thumbnail changes a job after its end, which only the tests of thumbnails expect.
    THUMBNAILS: 'false',
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

/** Returns the image calls of a studio whose prompt contains a text. */
export function imageCalls(studio: Studio, promptPart = ''): StudioCall[] {
  return studio.calls.filter(
    ({ path, prompt }) => path === '/v1/images/generations' && (prompt ?? '').includes(promptPart),
  );
}

/** Returns the prompt enhancement calls of a studio whose prompt contains a text. */
export function textCalls(studio: Studio, promptPart = ''): StudioCall[] {
  return studio.calls.filter(
    ({ path, prompt }) => path === '/v1/chat/completions' && (prompt ?? '').includes(promptPart),
  );
}
