import { afterAll, beforeAll } from 'vitest';
import { type ConsoleBrowser, openConsole } from './console.ts';
import { startService, type TestService } from './service.ts';

/** Starts a service and a browser with its console for the tests of a group. Both exist as soon as its tests run. */
export function consoleService() {
  let service: TestService;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    service = await startService();
    browser = await openConsole(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });
  return {
    get service() {
      return service;
    },
    get browser() {
      return browser;
    },
  };
}
