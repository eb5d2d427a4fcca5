import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import OpenAI from 'openai';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { compiledProgram, endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Runs `darkroom studio` until it has printed its introduction. */
async function startCommand(args: readonly string[]) {
  const child = spawn(process.execPath, [compiledProgram('main'), 'studio', ...args], {
    cwd: await temporaryFolder(),
    env: systemEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('Ctrl-C') || line.startsWith('{')) resolve();
    });
    child.once('exit', () => reject(new Error(lines.join('\n'))));
  });
  const stop = () => {
    const ended = endOf(child);
    child.kill('SIGINT');
    return ended;
  };
  return { lines, stop };
}

describe('darkroom studio', () => {
  it('serves OpenAI clients alone at the printed base URL, and ends on Ctrl-C', {
    timeout: 60_000,
  }, async () => {
    const command = await startCommand(['--port', '0']);
    const baseURL = /Base URL +(\S+)/.exec(command.lines.join('\n'))?.[1] ?? '';
    expect(command.lines.filter((line) => line.includes(baseURL) && line.includes('curl'))).toHaveLength(1);

    const client = new OpenAI({ apiKey: 'any', baseURL, maxRetries: 0 });
    const { data } = await client.images.generate({ prompt: 'a fox', size: '1024x1024' });
    const image = await sharp(Buffer.from(data?.[0]?.b64_json ?? '', 'base64')).metadata();
    expect(image).toMatchObject({ width: 1024, height: 1024, format: 'png' });

    expect(await command.stop()).toEqual({ code: 0, signal: null });
  });

  it('says which address is in use, without a stack trace', { timeout: 60_000 }, async () => {
    const first = await startCommand(['--port', '0', '--json']);
    const { port } = new URL(JSON.parse(first.lines[0] ?? '').base_url);
    const { code, stderr } = await runCommand(['studio', '--port', port], { cwd: await temporaryFolder() });
    expect([code, stderr]).toEqual([
      1,
      `Cannot listen on 127.0.0.1:${port}: another program uses this port. Stop it, or set --port to a free port.\n`,
    ]);
    await first.stop();
  });

  it('says that there is no such host, without a stack trace', { timeout: 60_000 }, async () => {
    const args = ['studio', '--port', '0', '--host', 'none.invalid'];
    const { code, stderr } = await runCommand(args, { cwd: await temporaryFolder() });
    expect([code, stderr]).toEqual([
      1,
      'Cannot listen on none.invalid:0: there is no such host. Set --host to an address of this machine.\n',
    ]);
  });
});
