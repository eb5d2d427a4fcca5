import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const clients = join(import.meta.dirname, '../../clients');

/** A request of a file for an HTTP client. Its texts contain variables in double braces. */
export interface FileRequest {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
  /** Name of the variable that gets the id of the response. */
  readonly idVariable: string | undefined;
}

/** Returns the requests of `clients/http/darkroom.http`. */
export function httpFileRequests(): FileRequest[] {
  const [, ...blocks] = readFileSync(join(clients, 'http/darkroom.http'), 'utf8').split(/^### /m);
  return blocks.map((block) => {
    const [, name = ''] = /^# @name (\w+)$/m.exec(block) ?? [];
    const text = block.replace(/^.*\n/, '').replace(/^#.*\n/gm, '');
    const [head = '', ...rest] = text.trim().split('\n\n');
    const [line = '', ...headers] = head.split('\n');
    const [method = '', url = ''] = line.split(' ');
    return {
      name,
      method,
      url,
      headers: headers.map((header): [string, string] => {
        const [field = '', ...value] = header.split(': ');
        return [field, value.join(': ')];
      }),
      body: rest.length > 0 ? rest.join('\n\n') : undefined,
      idVariable: `${name}.response.body.id`,
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
      const [method = ''] = Object.keys(blocks).filter((name) => /^(get|post|delete)$/.test(name));
      const [idVariable] = [...pairsOf(blocks['vars:post-response'])].map(([variable]) => variable);
      const body = blocks['body:json'];
      return {
        name: pairsOf(blocks.meta).get('name') ?? '',
        method: method.toUpperCase(),
        url: pairsOf(blocks[method]).get('url') ?? '',
        headers: [
          ['Authorization', 'Bearer {{key}}'],
          ...(body === undefined ? [] : [['Content-Type', 'application/json'] as const]),
          ...pairsOf(blocks.headers),
        ],
        body,
        idVariable,
      };
    });
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
