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
