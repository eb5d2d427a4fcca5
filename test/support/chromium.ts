import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

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

/** Limit of a wait that only guards against a hang. Pages take seconds, and on a machine busy with other tests ten times that. */
const pageLimitMs = 80_000;

/** Opens a page in a context of its own, which closes with the page. */
export async function newPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(pageLimitMs);
  return page;
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A violation of the accessibility rules, with the elements that have it. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** Runs axe in light and dark, and returns the violations as texts. */
export async function violationsOf(page: Page): Promise<string[]> {
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
