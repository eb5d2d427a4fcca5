import { startStudio } from '../local/studio/studio.ts';

/** Starts the offline provider alone, without the service. */
export async function composeStudio(options: {
  host: string;
  port: number;
  latencyMs: number;
}): Promise<{ baseUrl: string; stop(): Promise<void> }> {
  try {
    return await startStudio(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`${options.host}:${options.port} is in use. Choose another port with --port.`, {
      cause: error,
    });
  }
}
