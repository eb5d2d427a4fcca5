import { randomUUID } from 'node:crypto';
import type { ImageJobView } from '../../domain/job-view.ts';

export interface StreamEvent {
  readonly status: string;
  readonly stage: string | null;
  readonly job?: ImageJobView;
}

/** The few calls that the command line makes to a running service. */
export interface ApiClient {
  submit(body: Record<string, unknown>): Promise<ImageJobView>;
  get(id: string): Promise<ImageJobView>;
  /** Ends with the last event of the job. */
  events(id: string): AsyncGenerator<StreamEvent>;
  download(url: string): Promise<Uint8Array>;
  /** Any other call that answers with JSON or nothing. */
  request<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

/** @throws Error in words a person can act on. */
export function createApiClient(options: { url: string; apiKey: string | undefined }): ApiClient {
  const { url, apiKey } = options;
  if (!apiKey)
    throw new Error('No API key. Set DARKROOM_API_KEY, or start `darkroom dev` in this folder first.');

  async function call(
    path: string,
    init: RequestInit & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, url), {
        ...init,
        headers: { authorization: `Bearer ${apiKey}`, ...init.headers },
      });
    } catch (error) {
      throw new Error(`No service answers at ${url}. Start one with: darkroom dev`, { cause: error });
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => null)) as {
      code?: string;
      detail?: string;
      errors?: { pointer: string; detail: string }[];
    } | null;
    const fields = problem?.errors?.map((each) => `\n  ${each.pointer}: ${each.detail}`).join('') ?? '';
    throw new Error(
      `${problem?.code ?? response.status}: ${problem?.detail ?? response.statusText}${fields}`,
    );
  }

  const json = { 'content-type': 'application/json' };

  return {
    async submit(body) {
      // A key of its own makes the order safe to repeat, should the answer be lost.
      const headers = { ...json, 'idempotency-key': randomUUID() };
      const response = await call('/images', { method: 'POST', headers, body: JSON.stringify(body) });
      return (await response.json()) as ImageJobView;
    },
    async request(method, path, body) {
      const init = body === undefined ? { method } : { method, headers: json, body: JSON.stringify(body) };
      const text = await (await call(path, init)).text();
      return text === '' ? undefined : JSON.parse(text);
    },
    async get(id) {
      return (await (await call(`/images/${id}`)).json()) as ImageJobView;
    },
    async *events(id) {
      const response = await call(`/images/${id}/events`);
      if (!response.body) return;
      const decoder = new TextDecoder();
      let buffered = '';
      for await (const chunk of response.body) {
        buffered += decoder.decode(chunk as Uint8Array, { stream: true });
        const blocks = buffered.split('\n\n');
        buffered = blocks.pop() ?? '';
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data) yield JSON.parse(data) as StreamEvent;
        }
      }
    },
    async download(link) {
      // The link carries its own right to read; the key does not leave for another host.
      const response = await fetch(new URL(link, url));
      if (!response.ok) throw new Error(`The picture could not be downloaded: ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}
