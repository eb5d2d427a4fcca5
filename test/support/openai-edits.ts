import { testKeys } from './service-environment.ts';

/** Requests of `POST /v1/images/edits` without a client. */

export interface EditResponse {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape.
  readonly body: any;
}

/** Sends a form, or JSON as a text. The body of the result is a text if the response is a stream. */
export async function postEdit(
  url: string,
  body: FormData | string,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<EditResponse> {
  const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
  const response = await fetch(`${url}/v1/images/edits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKeys.acme}`, ...type, ...headers },
    body,
    signal: signal ?? null,
  });
  const isJson = response.headers.get('content-type')?.includes('json');
  const read = isJson ? response.json() : response.text();
  return { status: response.status, headers: response.headers, body: await read };
}

/** Returns a form whose files precede its fields. The files have no content type. */
export function formOf(
  fields: Record<string, string>,
  files: readonly (readonly [string, Buffer])[],
): FormData {
  const form = new FormData();
  for (const [field, bytes] of files) form.append(field, new Blob([new Uint8Array(bytes)]), 'photo');
  for (const [field, text] of Object.entries(fields)) form.append(field, text);
  return form;
}

export const dataUrl = (bytes: Buffer, type = 'image/png') =>
  `data:${type};base64,${bytes.toString('base64')}`;
