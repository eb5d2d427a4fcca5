// Requests one background image and polls it until the process is killed. Arguments: the address of the provider,
// the prompt, and the file that gets the handle before anything else happens.
import { writeFile } from 'node:fs/promises';
import { createResponsesProvider } from '../../src/outbound/providers/openai/images/responses-provider.ts';

const [, , baseUrl, prompt = '', handleFile = ''] = process.argv;
const provider = createResponsesProvider({
  name: 'openai',
  apiKey: 'sk-test-000',
  baseUrl,
  hostModelName: 'gpt-5.4-mini',
  pauseMs: () => 20,
});
await provider.generate(
  { model: 'gpt-image-2', prompt, parameters: {} },
  {
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    clientRequestId: 'img_1-1',
    onHandle: async (handle) => {
      await writeFile(handleFile, handle, { flush: true });
      console.log(handle);
    },
  },
  async () => {
    throw new Error('the image was finished before this process was killed');
  },
);
