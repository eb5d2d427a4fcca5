import { beforeAll, describe, expect, it } from 'vitest';
import { download, installClients } from '../support/openai-clients.ts';
import { startService, type TestService } from '../support/service.ts';
import { runExample } from '../support/switch-examples.ts';

const packages = await installClients();

let service: TestService;
beforeAll(async () => {
  service = await startService({ V1_MODEL_MAP: '*=default' });
  return service.close;
});

const isPng = (bytes: Buffer | undefined) => bytes?.subarray(1, 4).toString() === 'PNG';

describe.runIf(packages)('examples/switch', () => {
  it('ai-sdk.ts saves an image', async () => {
    const { files } = await runExample('ai-sdk.ts', { service: service.url, packages: packages ?? '' });
    expect(isPng(files['fox.png'])).toBe(true);
  });

  it('langchain.ts prints the link of an image, although it sends a retired model', async () => {
    const { stdout } = await runExample('langchain.ts', { service: service.url, packages: packages ?? '' });
    expect(isPng(await download(stdout.trim()))).toBe(true);
  });
});
