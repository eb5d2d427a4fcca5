import { describeListenError } from '../lib/listen-error.ts';
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
    throw describeListenError(error, options, { host: '--host', port: '--port' });
  }
}
