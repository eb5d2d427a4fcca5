import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Whether Chromium is installed. The tests in a browser are skipped otherwise. */
export const hasChromium = existsSync(executablePath);
if (!hasChromium) console.warn(`skipped: ${executablePath} is not installed (apt-get install chromium)`);

/** Starts Chromium without a window and without requests of its own. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
