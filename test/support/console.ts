import type { Browser, Page } from 'playwright-core';
import { launchChromium, newPage, violationsOf } from './chromium.ts';

export { hasChromium } from './chromium.ts';

/** The console of a service in a browser. */
export interface ConsoleBrowser {
  /** Opens a tab that is signed in with a key, at an address below `/console`. */
  open(path: string, options: { key: string } & TabOptions): Promise<ConsolePage>;
  /** Opens a tab without a key. */
  openSignedOut(path: string, options?: TabOptions): Promise<ConsolePage>;
  close(): Promise<void>;
}

export interface TabOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly language?: 'en' | 'zh-Hans';
  /** Origins of image bytes besides the service. */
  readonly imageOrigins?: readonly string[];
}

export interface ConsolePage {
  readonly page: Page;
  /** Errors of the console, violations of the content security policy, and requests to other origins. */
  readonly faults: readonly string[];
  /** Runs axe in light and dark, and returns the violations as texts. */
  violations(): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts a browser for the console of a service. */
export async function openConsole(url: string): Promise<ConsoleBrowser> {
  const browser: Browser = await launchChromium();

  async function openTab(path: string, options: TabOptions & { key?: string }): Promise<ConsolePage> {
    const { width = 1440, height = 900, theme = 'light', language = 'en' } = options;
    const page = await newPage(browser, {
      viewport: { width, height },
      colorScheme: theme,
      locale: language === 'en' ? 'en-US' : 'zh-CN',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
    });
    const faults = watchFaults(page, [url, ...(options.imageOrigins ?? [])]);
    if (options.key !== undefined) {
      // The key is in the storage of the tab before the page loads, as after a reload.
      await page.addInitScript(`sessionStorage.setItem('darkroom.key', ${JSON.stringify(options.key)})`);
    }
    await page.goto(`${url}/console${path}`);
    return { page, faults, violations: () => violationsOf(page), close: () => page.close() };
  }

  return {
    open: openTab,
    openSignedOut: (path, options = {}) => openTab(path, options),
    close: () => browser.close(),
  };
}

function watchFaults(page: Page, origins: readonly string[]): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    // A refused call is no fault of the page, but the browser reports each as an error.
    const isRefusal = /Failed to load resource: the server responded with a status of 4\d\d/.test(
      message.text(),
    );
    if (message.type() === 'error' && !isRefusal) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const isOurs =
      /^(blob|data):/.test(request.url()) || origins.some((origin) => request.url().startsWith(origin));
    if (!isOurs) faults.push(`request to ${request.url()}`);
  });
  return faults;
}
