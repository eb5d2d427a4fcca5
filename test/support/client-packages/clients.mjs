// Runs in the folder of the installed packages, so that Node finds them.
export { createOpenAI } from '@ai-sdk/openai';
export { createOpenAICompatible } from '@ai-sdk/openai-compatible';
export { DallEAPIWrapper } from '@langchain/openai';
export { generateImage } from 'ai';
export { default as OpenAI7 } from 'openai';
