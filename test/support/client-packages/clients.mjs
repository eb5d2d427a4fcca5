// Runs in the folder of the installed packages, so that Node finds them. Loads each package when it is first used.
export const loadOpenAI7 = async () => (await import('openai')).default;
export const loadLangChain = () => import('@langchain/openai');
export const loadAiSdk = async () => ({
  ...(await import('ai')),
  ...(await import('@ai-sdk/openai')),
  ...(await import('@ai-sdk/openai-compatible')),
});
