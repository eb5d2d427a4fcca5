import { FAULTS } from '../src/local/studio/faults.ts';

/** The text of docs/studio.md. */
export function studioPage(): string {
  const rows = Object.entries(FAULTS).map(([name, { value, does, charged }]) => {
    const word = value === null ? name : `${name}=…`;
    return `| \`[studio:${word}]\` | ${value ?? ''} | ${does} | ${charged} |`;
  });
  return `# The studio

Without \`OPENAI_API_KEY\`, \`npm start\` has images drawn on this machine by the **studio**: a server on loopback that speaks
OpenAI's API (images, and the language model that \`enhance\` asks). Darkroom calls it as it calls OpenAI, through the same client, so that
everything else is what runs in production. Its images depend on the prompt, the size, and the number of the call; they cost
nothing, though \`usage\` and \`cost\` are those of the real models. \`PROVIDER=studio\` asks for it where a key is set.

## Failing on purpose

Words in a prompt make it misbehave, so that you can see what your program does then. They are not drawn.

\`\`\`sh
npm run darkroom -- generate "A fox in the snow [studio:rate-limit=2,times=1]" --out fox.png
\`\`\`

\`,times=N\` lets a word act for the first N calls with that prompt only. \`latency\` and \`slow-body\` combine with the others, of which
the first acts. \`[studio:enhance-NAME]\` does to the language model what \`[studio:NAME]\` does to the image, and
\`[studio:poll-NAME]\` to the questions after a call in the background (\`OPENAI_MODE=responses\`).

| word | value (default) | what the studio does | what it would charge |
|---|---|---|---|
${rows.join('\n')}

This page is written by \`npm run docs\` from [src/local/studio/faults.ts](../src/local/studio/faults.ts).
`;
}
