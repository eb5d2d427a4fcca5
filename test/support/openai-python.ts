import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { installPythonPackages } from '../../scripts/install-packages.ts';
import type { ClientOptions, ImageClient } from './openai-clients.ts';

/** The official client for Python, as a process for each call. */

interface PythonResult {
  readonly images?: string[];
  /** Types of the events of a stream. */
  readonly events?: string[];
  readonly models?: string[];
  readonly error?: { readonly status?: number; readonly code: string; readonly message: string };
}

export interface PythonClient extends ImageClient {
  /** Folder of the packages. */
  readonly folder: string;
  /**
   * Makes one call of the client.
   *
   * @param call.options the fields of the request. Files are paths.
   * @throws Error with the status and the code that the client shows to its caller
   */
  call(
    options: ClientOptions,
    call: { name: 'generate' | 'edit' | 'models'; options: object },
  ): Promise<PythonResult>;
}

const manifest = fileURLToPath(new URL('python-packages', import.meta.url));

/** Installs the client. Returns `undefined` with a message on the console if pip cannot install it. */
export async function loadPythonClient(): Promise<PythonClient | undefined> {
  try {
    const folder = await installPythonPackages(manifest);
    return pythonClient(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.warn(`skipped: the OpenAI client for Python cannot be installed (${reason})`);
    return undefined;
  }
}

function pythonClient(folder: string): PythonClient {
  const call: PythonClient['call'] = async ({ baseUrl, apiKey, maxRetries }, { name, options }) => {
    const retries = maxRetries === undefined ? {} : { max_retries: maxRetries };
    const fields = JSON.stringify({ ...options, ...retries });
    const program = spawn('python3', ['openai_client.py', baseUrl, apiKey, name, fields], { cwd: folder });
    const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr)]);
    if (!stdout) throw new Error(`the Python client ended without a result: ${stderr}`);
    const result: PythonResult = JSON.parse(stdout);
    if (result.error) throw Object.assign(new Error(result.error.message), result.error);
    return result;
  };
  return {
    name: 'openai (Python)',
    folder,
    call,
    async generate(options, request) {
      const { images = [] } = await call(options, {
        name: 'generate',
        options: { model: 'gpt-image-2', ...request },
      });
      return images.map((image) => Buffer.from(image, 'base64'));
    },
  };
}
