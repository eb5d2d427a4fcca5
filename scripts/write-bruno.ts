import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the Bruno collection from the `.http` file, so that both contain the same requests. */

const clients = join(import.meta.dirname, '../clients');
const source = join(clients, 'http/darkroom.http');
const target = join(clients, 'bruno');
/** Response of an earlier request in the `.http` file, with the path of a field. */
const reference = /\{\{(\w+)\.response\.body\.(?:\$\.)?([\w.[\]]+)\}\}/g;

const text = readFileSync(source, 'utf8');
const used = new Map(Array.from(text.matchAll(reference), ([, name = '', path = '']) => [name, path]));

function requestOf(block: string, name: string, sequence: number): string {
  const about = block.slice(0, block.indexOf('\n'));
  const [head = '', ...rest] = block
    .replace(/^.*\n/, '')
    .replace(/^#.*\n/gm, '')
    .trim()
    .split('\n\n');
  const [line = '', ...fields] = head.split('\n').map(withVariables);
  const [method = '', url = ''] = line.split(' ');
  const headers = fields.filter((field) => !/^(Authorization|Content-Type): /.test(field));
  const body = rest.length === 0 ? undefined : bodyOf(withVariables(rest.join('\n\n')), head);
  const auth = fields.some((field) => field.endsWith('{{adminKey}}'))
    ? 'bearer'
    : fields.some((field) => field.startsWith('Authorization'))
      ? 'inherit'
      : 'none';
  const query = [...new URLSearchParams(url.split('?')[1] ?? '')].map(([key, value]) => `${key}: ${value}`);
  const path = used.get(name);
  return [
    section('meta', [`name: ${name}`, 'type: http', `seq: ${sequence}`]),
    section(method.toLowerCase(), [`url: ${url}`, `body: ${body?.kind ?? 'none'}`, `auth: ${auth}`]),
    ...(query.length > 0 ? [section('params:query', query)] : []),
    ...(headers.length > 0 ? [section('headers', headers)] : []),
    ...(auth === 'bearer' ? [section('auth:bearer', ['token: {{adminKey}}'])] : []),
    ...(body ? [section(body.section, body.lines)] : []),
    ...(path ? [section('vars:post-response', [`${name}Id: res.body.${path}`])] : []),
    section('docs', [about.trim()]),
  ].join('\n');
}

const withVariables = (line: string) => line.replace(reference, (_all, name: string) => `{{${name}Id}}`);

const section = (name: string, lines: readonly string[]) =>
  `${name} {\n${lines.map((each) => `  ${each}\n`).join('')}}\n`;

function bodyOf(content: string, head: string): { kind: string; section: string; lines: string[] } {
  if (content.startsWith('< ./')) {
    const [, type = ''] = /^Content-Type: (.*)$/m.exec(head) ?? [];
    const lines = [`file: @file(${content.slice('< ./'.length)}) @contentType(${type})`];
    return { kind: 'file', section: 'body:file', lines };
  }
  if (!head.includes('multipart/form-data')) {
    const lines = JSON.stringify(JSON.parse(content), null, 2).split('\n');
    return { kind: 'json', section: 'body:json', lines };
  }
  const parts = content.matchAll(/name="(\w+)".*\n(?:Content-Type: (\S+)\n)?\n(.*)\n/g);
  const lines = Array.from(parts, ([, name, type, value = '']) =>
    type ? `${name}: @file(${value.slice('< ./'.length)}) @contentType(${type})` : `${name}: ${value}`,
  );
  return { kind: 'multipartForm', section: 'body:multipart-form', lines };
}

for (const file of readdirSync(target)) {
  if (file.endsWith('.bru') && file !== 'collection.bru') rmSync(join(target, file));
}
copyFileSync(join(clients, 'http/photo.png'), join(target, 'photo.png'));
const [, ...blocks] = text.split(/^### /m);
for (const [index, block] of blocks.entries()) {
  const [, name = ''] = /^# @name (\w+)$/m.exec(block) ?? [];
  writeFileSync(join(target, `${name}.bru`), requestOf(block, name, index + 1));
}
