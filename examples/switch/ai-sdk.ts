import { writeFile } from 'node:fs/promises';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';

const openai = createOpenAI({
  baseURL: 'http://localhost:8080/v1',
});

const { image } = await generateImage({ model: openai.image('gpt-image-2'), prompt: 'A fox in the snow' });
await writeFile('fox.png', image.uint8Array);
