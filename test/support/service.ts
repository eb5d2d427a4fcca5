import { compose } from '../../src/compose/index.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/lib/logger.ts';
import type { Studio } from '../../src/local/studio/studio.ts';
import { type Caller, createCaller } from './caller.ts';
import { createEnvironment, type TestEnvironment, testKeys } from './service-environment.ts';

/** The service, running in this process. */
export interface TestService {
  readonly url: string;
  /** Client with the key of the tenant `acme`. */
  readonly acme: Caller;
  /** Client with the key of another tenant. */
  readonly other: Caller;
  readonly studio: Studio;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts the service with all roles in a new environment, which is removed on close. */
export async function startService(overrides: Record<string, string> = {}): Promise<TestService> {
  const environment = await createEnvironment(overrides);
  const service = await startServiceIn(environment);
  return {
    ...service,
    async close() {
      await service.close();
      await environment.remove();
    },
  };
}

/** Starts an instance in an environment, which remains when the instance is closed. */
export async function startServiceIn(
  environment: TestEnvironment,
  overrides: Record<string, string> = {},
): Promise<TestService> {
  const env = { ...environment.env, ...overrides };
  const config = loadConfig(env, 'serve');
  const log = createLogger({ level: config.LOG_LEVEL, pretty: false });
  const service = await compose(config, { log });
  const url = (await service.start()).replace('localhost', config.HOST);
  return {
    url,
    acme: createCaller(url, testKeys.acme),
    other: createCaller(url, testKeys.other),
    studio: environment.studio,
    dataDir: environment.dataDir,
    env,
    close: () => service.close(),
  };
}
