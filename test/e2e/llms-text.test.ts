import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectMcp } from '../support/mcp-client.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.close());

describe('/llms.txt', () => {
  it('needs no key, names every tool, and all of its links work', async () => {
    const response = await fetch(new URL('/llms.txt', service.url));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const text = await response.text();
    expect(text).toMatch(/^# Darkroom\n\n> /);

    const { tools } = await (await connectMcp(service)).listTools();
    for (const { name, description } of tools) expect(text).toContain(`\`${name}\`: ${description}`);

    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => String(link));
    expect(links).toContain(new URL('/docs/agents.md', service.url).href);
    for (const link of links) {
      expect(new URL(link).origin).toBe(new URL(service.url).origin);
      // The MCP endpoint takes POST only, and refuses a caller without a key.
      const { status } = await fetch(link, link.endsWith('/mcp') ? { method: 'POST', body: '{}' } : {});
      expect([200, 401]).toContain(status);
    }
  });

  it('names only addresses, headers and fields of the API document', async () => {
    const text = await (await fetch(new URL('/llms.txt', service.url))).text();
    const document = (await (await fetch(new URL('/openapi.json', service.url))).json()) as {
      paths: Record<string, object>;
    };
    const named = [...text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`?]*)(\?[a-z_]+)?[^`]*`/g)];
    expect(named.length).toBeGreaterThan(20);
    for (const [, method, path] of named) {
      expect(document.paths[String(path)], `${method} ${path}`).toHaveProperty(String(method).toLowerCase());
    }
    const json = JSON.stringify(document);
    for (const field of [
      'high_micro_usd',
      'max_cost_micro_usd',
      'url_expires_at',
      'resets_at',
      'retryable',
    ]) {
      expect(text).toContain(field);
      expect(json).toContain(`"${field}"`);
    }
  });
});
