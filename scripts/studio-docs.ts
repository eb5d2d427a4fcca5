import { FAULTS } from '../src/local/studio/faults.ts';

/** The text of docs/studio.md. */
export function studioPage(): string {
  const rows = Object.entries(FAULTS).map(([name, { value, does, charged }]) => {
    const word = value === null ? name : `${name}=…`;
    return `| \`[studio:${word}]\` | ${value ?? ''} | ${does} | ${charged} |`;
  });
  return `# The studio

Without \`OPENAI_API_KEY\`, \`npm start\` uses the **studio**: a server on loopback that speaks OpenAI's API (images, and the language
model of \`enhance\`) and draws images on this machine. Darkroom calls it through the same client as OpenAI, so everything else runs as in
production. Its images depend on the prompt, the size and the number of the call. They cost nothing, although \`usage\` and \`cost\` follow
the prices of the real models. \`PROVIDER=studio\` selects the studio if a key is set.

## Failing on purpose

Words in a prompt select a fault, so that you can see how your program reacts. They are not drawn.

\`\`\`sh
npm run darkroom -- generate "A fox in the snow [studio:rate-limit=2,times=1]" --out fox.png
\`\`\`

\`,times=N\` limits a fault to the first N calls with that prompt. \`latency\` and \`slow-body\` can be combined with another fault. Of
several other faults, the first one acts. \`[studio:enhance-NAME]\` is the same fault for the language model, and \`[studio:poll-NAME]\` for
the polls of a background call (\`OPENAI_MODE=responses\`).

\`quota\` and \`unauthorized\` are faults of the account. Darkroom then opens the circuit breaker of the provider, as in production: all jobs
wait or fail (\`ON_QUOTA\`), for 5 seconds at first.

| word | value (default) | what the studio does | what it would charge |
|---|---|---|---|
${rows.join('\n')}

This page is written by \`npm run docs\` from [src/local/studio/faults.ts](../src/local/studio/faults.ts).
`;
}
