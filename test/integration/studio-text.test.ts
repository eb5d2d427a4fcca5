import { describe, expect, it } from 'vitest';
import { apiErrorOf, generate, lastCall, studioAndClient } from '../support/studio-calls.ts';

describe('text of the studio', () => {
  it('describes the image in the language of the last user message', async () => {
    const { studio, client } = await studioAndClient();
    const reply = await client.chat.completions.create({
      model: 'gpt-5-mini',
      messages: [
        { role: 'system', content: 'You write prompts.' },
        { role: 'user', content: 'a dog' },
        { role: 'assistant', content: 'A dog.' },
        { role: 'user', content: '生成一幅美女的照片' },
      ],
    });
    const text = reply.choices[0]?.message.content ?? '';
    expect(text).toMatch(/美女.*。$/);
    expect(text).not.toContain('生成');
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    expect(reply.usage?.total_tokens).toBe(
      (reply.usage?.prompt_tokens ?? 0) + (reply.usage?.completion_tokens ?? 0),
    );
    expect(await lastCall(studio)).toMatchObject({ prompt: '生成一幅美女的照片', charged: 'charged' });
    expect(studio.chargedImages()).toBe(0);
  });

  it('returns the same text from the Responses API', async () => {
    const { client } = await studioAndClient();
    const plain = await client.responses.create({ model: 'gpt-5-mini', input: 'a red fox' });
    const parts = await client.responses.create({
      model: 'gpt-5-mini',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'a red fox' }] }],
    });
    expect(plain.output_text).toContain('a red fox');
    expect(parts.output_text).toBe(plain.output_text);
    expect(plain.usage?.total_tokens).toBeGreaterThan(20);
  });

  it('cuts a text off at the limit of output tokens, and reports the reason and the tokens', async () => {
    const { client } = await studioAndClient();
    for (const content of ['x'.repeat(32_000), '水'.repeat(8_000)]) {
      for (const limit of [{ max_completion_tokens: 2_000 }, { max_tokens: 2_000 }]) {
        const messages = [{ role: 'user' as const, content }];
        const { choices, usage } = await client.chat.completions.create({ model: 'm', messages, ...limit });
        expect([choices[0]?.finish_reason, usage?.completion_tokens]).toEqual(['length', 2_000]);
        expect(content.startsWith(choices[0]?.message.content ?? '-')).toBe(true);
      }
      const cut = await client.responses.create({ model: 'm', input: content, max_output_tokens: 2_000 });
      expect(cut.incomplete_details).toEqual({ reason: 'max_output_tokens' });
      expect(cut.usage?.output_tokens).toBe(2_000);
    }
    const messages = [{ role: 'user' as const, content: 'a dog' }];
    const refused = client.chat.completions.create({ model: 'm', messages, max_completion_tokens: 0 });
    expect(await apiErrorOf(refused)).toMatchObject({ status: 400, param: 'max_completion_tokens' });
  });

  it('fails only on the words for enhance faults, which stay in the description', async () => {
    const { client } = await studioAndClient();
    const complete = (content: string) =>
      client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] });
    expect(await apiErrorOf(complete('a cat [studio:enhance-error=500]'))).toMatchObject({ status: 500 });
    const prompt = 'a cat [studio:error=500] [studio:enhance-overloaded,times=1]';
    expect(await apiErrorOf(complete(prompt))).toMatchObject({ status: 503 });
    const text = (await complete(prompt)).choices[0]?.message.content ?? '';
    expect(text).toContain('[studio:error=500]');
    expect(text).toContain('[studio:enhance-overloaded,times=1]');
    expect(await apiErrorOf(generate(client, text))).toMatchObject({ status: 500 });
    expect((await complete('[studio:enhance-empty]')).choices[0]?.message.content).toBe('');
  });
});
