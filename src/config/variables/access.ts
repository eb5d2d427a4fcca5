import { credential, defineVariable, whole } from '../../lib/variable.ts';
import { apiKeys, secretsKey } from '../values.ts';

const section = 'Keys and secrets';

/** Variables of API keys and of the secret of the deployment. */
export const access = {
  API_KEYS: defineVariable({
    section,
    schema: apiKeys,
    secret: true,
    about:
      'Bootstrap keys as `tenant:key`, comma-separated, with the scopes images:read, images:write and webhooks.',
  }),
  ADMIN_KEY: defineVariable({
    section,
    schema: credential,
    secret: true,
    about:
      'Key of the operator. It has every scope for the tenant `admin`, and manages the keys and limits of every tenant.',
  }),
  MAX_KEYS_PER_TENANT: defineVariable({
    section,
    schema: whole(1, 10_000_000),
    fallback: '100000',
    about:
      'Maximum number of stored API keys of one tenant, revoked ones included, because usage and the audit log name them.',
  }),
  SECRETS_KEY: defineVariable({
    section,
    schema: secretsKey,
    secret: true,
    about:
      '32 bytes in base64. Signs links, derives and encrypts webhook secrets. `dev` creates it in DATA_DIR.',
  }),
};
