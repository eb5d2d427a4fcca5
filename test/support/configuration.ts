import { type Config, faultsOf, loadConfig } from '../../src/config/config.ts';

export const secretsKey = Buffer.alloc(32, 7).toString('base64');

/** The variables that a service needs at least. */
export const minimalEnvironment = {
  REDIS_URL: 'redis://:pa55word@redis:6379',
  SECRETS_KEY: secretsKey,
  PROVIDER: 'studio',
};

/** Returns the faults of the environment of a service. */
export const serviceFaults = (env: NodeJS.ProcessEnv) => faultsOf(env, 'serve');

/** Loads the configuration of a service with the given variables besides the minimum. */
export function serviceConfig(env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ ...minimalEnvironment, ...env }, 'serve');
}
