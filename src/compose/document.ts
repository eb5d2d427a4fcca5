import { pino } from 'pino';
import { createHttpApp } from '../inbound/http/app.ts';
import type { HttpContext } from '../inbound/http/context.ts';
import { packageVersion } from '../lib/package-version.ts';

/** The text of the OpenAPI document, from routes that are declared but never serve a request. */
export async function composeDocument(format: 'yaml' | 'json' = 'yaml'): Promise<string> {
  const app = await createHttpApp({ publicApi: true } as HttpContext, {
    logger: pino({ level: 'silent' }),
    version: packageVersion(),
    trustProxy: undefined,
    corsOrigins: undefined,
  });
  try {
    await app.ready();
    return format === 'yaml' ? app.swagger({ yaml: true }) : JSON.stringify(app.swagger());
  } finally {
    await app.close();
  }
}
