import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { readArguments } from '../../../../src/inbound/mcp/read-arguments.ts';
import { createImagesTools } from '../../../../src/inbound/mcp/tools/create-images.ts';
import { readImagesTools } from '../../../../src/inbound/mcp/tools/read-images.ts';

const tools = [...createImagesTools({} as never), ...readImagesTools({} as never)];
const schemaOf = (name: string) => {
  const tool = tools.find((each) => each.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool.input;
};

/** Returns the pointers and details of the issues that a tool reports for its arguments. */
function issuesOf(name: string, args: unknown): string[] {
  try {
    readArguments(schemaOf(name), args);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.issues.map(({ pointer, detail }) => `${pointer} ${detail}`);
  }
}

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, no) => [`key${no}`, 'value']));

describe('arguments of tools', () => {
  it('obey every limit that the HTTP API documents, also those that zod does not know', () => {
    const preset = (count: number) => ({ name: 'poster', variables: pairs(count) });
    expect(issuesOf('generate_image', { prompt: 'x', metadata: pairs(16), preset: preset(16) })).toEqual([]);
    const tooMany = 'must NOT have more than 16 properties';
    expect(issuesOf('generate_image', { prompt: 'x', metadata: pairs(17) })).toEqual([
      `/metadata ${tooMany}`,
    ]);
    expect(issuesOf('generate_image', { prompt: 'x', preset: preset(17) })).toEqual([
      `/preset/variables ${tooMany}`,
    ]);
    expect(issuesOf('generate_image', { prompt: 'x'.repeat(32_001) })).toEqual([
      '/prompt must NOT have more than 32000 characters',
    ]);
    expect(issuesOf('edit_image', { prompt: 'x', images: [{}] })).toEqual([
      '/images/0 must NOT have fewer than 1 properties',
    ]);
  });

  it('count the code points of a text, as the HTTP API does', () => {
    expect(
      issuesOf('generate_image', { prompt: '🦊'.repeat(32_000), metadata: { a: '🦊'.repeat(512) } }),
    ).toEqual([]);
  });

  it('are refused with the name of each wrong argument, and a hint instead of a pattern', () => {
    expect(issuesOf('get_image', { id: 5, wait: 1 })).toEqual([
      '/wait is not a known field',
      '/id must be string',
    ]);
    expect(issuesOf('generate_image', undefined)).toEqual(['/prompt is required']);
    expect(issuesOf('list_images', { cursor: 'page2' })).toEqual([
      '/cursor Invalid cursor. Pass the cursor of the page before unchanged',
    ]);
    expect(issuesOf('generate_image', { prompt: 'x', idempotency_key: 'a b' })).toEqual([
      '/idempotency_key Expected visible ASCII characters without spaces',
    ]);
  });
});
