/** The forms of an example. */
export const exampleLanguages = ['curl', 'typescript', 'python', 'json'] as const;
export type ExampleLanguage = (typeof exampleLanguages)[number];

interface Example {
  readonly origin: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Key that repeats the request without a second payment. */
  readonly idempotencyKey: string;
}

/** Returns the request as JSON, or as a program that runs unchanged with the API key in DARKROOM_API_KEY. */
export function exampleOf(language: ExampleLanguage, example: Example): string {
  if (language === 'curl') return curl(example);
  if (language === 'json') return JSON.stringify(example.body, null, 2);
  return language === 'typescript' ? typescript(example) : python(example);
}

function curl({ origin, body, idempotencyKey }: Example): string {
  // A single quote ends a quotation of the shell, so it is written outside of one.
  const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
  return `curl -s ${origin}/images \\
  -H "Authorization: Bearer $DARKROOM_API_KEY" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: ${idempotencyKey}" \\
  -d '${json}'`;
}

function typescript({ origin, body, idempotencyKey }: Example): string {
  return `import { Darkroom } from '@darkroom/client';

const darkroom = new Darkroom({ baseUrl: '${origin}', apiKey: process.env.DARKROOM_API_KEY! });

const { images, cost } = await darkroom.generate(
  ${JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')},
  { idempotencyKey: '${idempotencyKey}' },
);
console.log(images[0].url, cost.micro_usd);`;
}

function python({ origin, body, idempotencyKey }: Example): string {
  const { prompt, images, ...options } = body;
  const named = [
    ...(images === undefined ? [] : [`    images=${pythonLiteral(images)},`]),
    ...Object.entries(options).map(([name, value]) => `    ${name}=${pythonLiteral(value)},`),
    `    idempotency_key=${JSON.stringify(idempotencyKey)},`,
  ];
  return `from darkroom import Darkroom

darkroom = Darkroom("${origin}")  # reads DARKROOM_API_KEY

job = darkroom.${images === undefined ? 'generate' : 'edit'}(
    ${JSON.stringify(prompt ?? '')},
${named.join('\n')}
)
print(job.images[0].url, job.cost.micro_usd)`;
}

function pythonLiteral(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${pythonLiteral(member)}`)
    .join(', ')}}`;
}

/** A piece of code with its color. */
export interface CodePiece {
  readonly kind: 'plain' | 'keyword' | 'string' | 'comment';
  readonly text: string;
}

const tokens =
  /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\]|\\.|'\\'')*')|((?<!\S)#[^\n]*|(?<!:)\/\/[^\n]*)|\b(curl|import|from|const|await|new|print)\b/g;

/** Splits code into pieces for colors. */
export function highlight(code: string): CodePiece[] {
  const pieces: CodePiece[] = [];
  let end = 0;
  for (const match of code.matchAll(tokens)) {
    if (match.index > end) pieces.push({ kind: 'plain', text: code.slice(end, match.index) });
    const kind = match[1] ? 'string' : match[2] ? 'comment' : 'keyword';
    pieces.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < code.length) pieces.push({ kind: 'plain', text: code.slice(end) });
  return pieces;
}
