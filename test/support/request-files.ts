import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const clients = join(import.meta.dirname, '../../clients');

/** A request of a file for an HTTP client. Its texts contain variables in double braces. */
export interface FileRequest {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array<ArrayBuffer> | FormData | undefined;
  /** Variable that gets a field of the response, and the path of the field. */
  readonly variable: readonly [name: string, path: string] | undefined;
}

const photo = () => new Uint8Array(readFileSync(join(clients, 'http/photo.png')));
const photoFile = () => new File([photo()], 'photo.png', { type: 'image/png' });

/** Returns the requests of `clients/http/darkroom.http`. */
export function httpFileRequests(): FileRequest[] {
  const text = readFileSync(join(clients, 'http/darkroom.http'), 'utf8');
  const [, ...blocks] = text.split(/^### /m);
  return blocks.map((block) => {
    const [, name = ''] = /^# @name (\w+)$/m.exec(block) ?? [];
    const [head = '', ...rest] = block
      .replace(/^.*\n/, '')
      .replace(/^#.*\n/gm, '')
      .trim()
      .split('\n\n');
    const [line = '', ...headers] = head.split('\n');
    const [method = '', url = ''] = line.split(' ');
    const body = rest.join('\n\n');
    const isForm = body.startsWith('--');
    const [, path] = new RegExp(`\\{\\{(${name}\\.response\\.body\\.[^}]+)\\}\\}`).exec(text) ?? [];
    return {
      ...{ name, method, url },
      headers: headers
        .map((header): [string, string] => [header.split(': ')[0] ?? '', header.replace(/^.*?: /, '')])
        // The form is sent with a boundary of its own.
        .filter(([field]) => !(isForm && field === 'Content-Type')),
      body: body === '' ? undefined : isForm ? formOf(body) : body.startsWith('< ') ? photo() : body,
      variable: path === undefined ? undefined : [path, path.replace(/^.*\.body\.(\$\.)?/, '')],
    };
  });
}

/** Returns the requests of the Bruno collection in their sequence. */
export function brunoRequests(): FileRequest[] {
  const names = readdirSync(join(clients, 'bruno')).filter(
    (name) => name.endsWith('.bru') && name !== 'collection.bru',
  );
  return names
    .map((name) => blocksOf(readFileSync(join(clients, 'bruno', name), 'utf8')))
    .sort((a, b) => Number(pairsOf(a.meta).get('seq')) - Number(pairsOf(b.meta).get('seq')))
    .map((blocks) => {
      const [method = ''] = Object.keys(blocks).filter((name) => /^(get|post|put|patch|delete)$/.test(name));
      const request = pairsOf(blocks[method]);
      const [variable] = [...pairsOf(blocks['vars:post-response'])];
      const json = blocks['body:json'];
      const token =
        request.get('auth') === 'inherit' ? '{{key}}' : pairsOf(blocks['auth:bearer']).get('token');
      const form = blocks['body:multipart-form'] && formOfPairs(pairsOf(blocks['body:multipart-form']));
      return {
        name: pairsOf(blocks.meta).get('name') ?? '',
        method: method.toUpperCase(),
        url: request.get('url') ?? '',
        headers: [
          ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
          ...(json === undefined ? [] : [['Content-Type', 'application/json'] as const]),
          ...(blocks['body:file'] === undefined ? [] : [['Content-Type', 'image/png'] as const]),
          ...pairsOf(blocks.headers),
        ],
        body: json ?? (form || (blocks['body:file'] === undefined ? undefined : photo())),
        variable: variable && [variable[0], variable[1].replace(/^res\.body\./, '')],
      };
    });
}

/** Returns the form of a multipart body of an `.http` file. */
function formOf(body: string): FormData {
  const parts = body.matchAll(/name="(\w+)".*\n(?:Content-Type: .*\n)?\n(.*)\n/g);
  return formOfPairs(new Map(Array.from(parts, ([, name = '', value = '']) => [name, value])));
}

function formOfPairs(pairs: ReadonlyMap<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of pairs)
    form.append(name, /^(< \.\/|@file\()photo\.png/.test(value) ? photoFile() : value);
  return form;
}

/** Returns the blocks of a .bru file by name. A block ends with a brace at the beginning of a line. */
function blocksOf(text: string): Record<string, string> {
  const blocks = text.matchAll(/^([\w:-]+) \{\n([\s\S]*?)\n\}$/gm);
  return Object.fromEntries([...blocks].map(([, name = '', content = '']) => [name, content]));
}

function pairsOf(content = ''): Map<string, string> {
  const pairs = content.split('\n').map((line) => /^\s*([^:]+): (.*)$/.exec(line));
  return new Map(pairs.flatMap((pair): [string, string][] => (pair ? [[pair[1] ?? '', pair[2] ?? '']] : [])));
}
