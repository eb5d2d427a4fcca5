import { pino } from 'pino';
import { createHttpApp } from '../inbound/http/app.ts';
import type { HttpContext } from '../inbound/http/context.ts';
import { packageVersion } from '../lib/package-version.ts';

/** The OpenAPI document as YAML, from routes that are declared but never serve a request. */
export async function composeDocument(): Promise<string> {
  const app = await createHttpApp({ publicApi: true } as HttpContext, {
    logger: pino({ level: 'silent' }),
    version: packageVersion(),
    trustProxy: undefined,
    corsOrigins: undefined,
  });
  try {
    await app.ready();
    return app.swagger({ yaml: true });
  } finally {
    await app.close();
  }
}
