import { writeFile } from 'node:fs/promises';
import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: 'http://localhost:8080/v1',
});

const { data } = await client.images.generate({ model: 'gpt-image-2', prompt: 'A fox in the snow' });
await writeFile('fox.png', data?.[0]?.b64_json ?? '', 'base64');
