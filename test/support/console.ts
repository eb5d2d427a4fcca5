import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Whether the browser of these tests is installed. Tests in a browser are skipped without it. */
export const hasChromium = existsSync(executablePath);
if (!hasChromium) console.warn(`skipped: ${executablePath} is not installed (apt-get install chromium)`);

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A violation of the accessibility rules, with the elements that have it. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

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
  const browser: Browser = await chromium.launch({ executablePath, args: flags });

  async function openTab(path: string, options: TabOptions & { key?: string }): Promise<ConsolePage> {
    const { width = 1440, height = 900, theme = 'light', language = 'en' } = options;
    const context: BrowserContext = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      locale: language === 'en' ? 'en-US' : 'zh-CN',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const faults = watchFaults(page, [url, ...(options.imageOrigins ?? [])]);
    if (options.key !== undefined) {
      // The key is in the storage of the tab before the page loads, as after a reload.
      await page.addInitScript(`sessionStorage.setItem('darkroom.key', ${JSON.stringify(options.key)})`);
    }
    await page.goto(`${url}/console${path}`);
    return { page, faults, violations: () => violationsOf(page), close: () => context.close() };
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

async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const texts: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = (await page.evaluate(
      '(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations)()',
    )) as Violation[];
    for (const { id, nodes } of found) {
      for (const { target, failureSummary } of nodes) {
        texts.push(`${colorScheme}: ${id} at ${target.join(' ')}: ${failureSummary ?? ''}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return texts;
}
