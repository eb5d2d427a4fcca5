import { pino } from 'pino';
import { createHttpApp, type HttpDeps } from '../inbound/http/app.ts';
import { documentYaml } from '../inbound/http/plugins/document.ts';
import { packageVersion } from '../lib/package-version.ts';

/** Dependencies of routes that are declared and never serve a request. */
const nothing = { jobs: {}, inputs: {}, metrics: {}, webhooks: {}, console: {} } as HttpDeps;

/** Returns the text of the OpenAPI document. */
export async function composeDocument(format: 'yaml' | 'json' = 'yaml'): Promise<string> {
  const app = await createHttpApp(nothing, {
    logger: pino({ level: 'silent' }),
    version: packageVersion(),
    publicUrl: undefined,
    trustProxy: undefined,
    corsOrigins: undefined,
    servesCallers: true,
  });
  try {
    await app.ready();
    return format === 'yaml' ? documentYaml(app) : JSON.stringify(app.swagger());
  } finally {
    await app.close();
  }
}
