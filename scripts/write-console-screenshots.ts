/**
 * Writes the screenshots of docs/console.md: starts `dev` in a new folder, creates sample data, signs in with the printed
 * link and visits every screen. Needs Debian's chromium.
 *
 * node --import tsx scripts/write-console-screenshots.ts [folder]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { sampleData, startReceiver } from './console-sample-data.ts';

const target = process.argv[2] ?? 'docs/images';

/** A screenshot: the name of its file, and the address below `/console`. */
interface Shot {
  readonly name: string;
  readonly path: string;
  readonly width?: number;
  readonly theme?: 'light' | 'dark';
  readonly language?: string;
  readonly prepare?: (page: Page) => Promise<unknown>;
}

const fillPrompt = (page: Page) =>
  page.locator('textarea').first().fill('Mountains at sunset above a still lake, gouache');

const openFirstRow = (page: Page) => page.locator('main tbody tr').first().click();

function shotsOf(jobId: string): Shot[] {
  const result = `/playground?job=${jobId}`;
  return [
    { name: 'playground', path: result, prepare: fillPrompt },
    { name: 'playground-zh', path: result, language: 'zh-CN', prepare: fillPrompt },
    { name: 'playground-narrow', path: '/playground', width: 390, prepare: fillPrompt },
    { name: 'gallery', path: `/gallery?job=${jobId}` },
    { name: 'gallery-dark', path: '/gallery', theme: 'dark' },
    { name: 'job', path: `/jobs/${jobId}` },
    { name: 'webhooks', path: '/webhooks' },
    { name: 'keys', path: '/keys', prepare: openFirstRow },
    { name: 'usage', path: '/usage?by=key' },
    { name: 'system', path: '/system' },
  ];
}

const height = 900;
/** Quality of the files. Texts stay sharp, and the sum stays below 1 MB. */
const quality = 82;
const dataDir = mkdtempSync(join(tmpdir(), 'darkroom-screenshots-'));
const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'dev'], {
  env: {
    ...process.env,
    DATA_DIR: dataDir,
    PORT: '8391',
    LOG_LEVEL: 'silent',
    WEBHOOK_ALLOW_PRIVATE: 'true',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(child, 'exit');
const receiverPort = 8392;
const receiver = startReceiver(receiverPort);
try {
  const { link, key } = await readWelcome();
  const url = new URL(link).origin;
  const jobId = await sampleData(url, key, `http://127.0.0.1:${receiverPort}`);
  await takeShots(link, shotsOf(jobId));
} finally {
  receiver.close();
  child.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
}

/** Returns the sign-in link and the key that `dev` prints. */
async function readWelcome(): Promise<{ link: string; key: string }> {
  let link = '';
  for await (const line of createInterface(child.stdout)) {
    link = /^\s+Console\s+(\S+)/.exec(line)?.[1] ?? link;
    const key = /^\s+API key\s+(\S+)/.exec(line)?.[1];
    if (key) return { link, key };
  }
  throw new Error('dev ended before it listened');
}

async function takeShots(link: string, shots: readonly Shot[]): Promise<void> {
  mkdirSync(target, { recursive: true });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  // The link works once, so one tab signs in and the others take over the content of its storage.
  const first = await browser.newPage();
  await first.goto(link);
  await first.locator('.sidebar').waitFor();
  const key = await first.evaluate<string>('sessionStorage.getItem("darkroom.key")');
  for (const shot of shots) {
    const context = await browser.newContext({
      viewport: { width: shot.width ?? 1440, height },
      colorScheme: shot.theme ?? 'light',
      locale: shot.language ?? 'en-US',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.addInitScript(`sessionStorage.setItem('darkroom.key', ${JSON.stringify(key)})`);
    await page.goto(`${new URL(link).origin}/console${shot.path}`);
    await page.locator('main').waitFor();
    await shot.prepare?.(page);
    // The stream of events stays open, so the network is idle except for it. Images and estimates have arrived then.
    await page.waitForTimeout(1_500);
    const png = await page.screenshot();
    await sharp(png)
      .webp({ quality, smartSubsample: true })
      .toFile(join(target, `console-${shot.name}.webp`));
    await context.close();
    process.stdout.write(`${shot.name}\n`);
  }
  await browser.close();
}
