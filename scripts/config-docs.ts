import { variables } from '../src/config/variables.ts';
import type { Variable } from '../src/lib/variable.ts';

/** Generates the two documents of the environment variables. */

const all = Object.entries(variables) as [string, Variable][];

function sections(): Map<string, [string, Variable][]> {
  const bySection = new Map<string, [string, Variable][]>();
  for (const entry of all) {
    const list = bySection.get(entry[1].section) ?? [];
    bySection.set(entry[1].section, [...list, entry]);
  }
  return bySection;
}

/** Returns the text of docs/configuration.md. */
export function configurationPage(): string {
  const parts = [...sections()].map(([section, entries]) => {
    const rows = entries.map(([name, variable]) => {
      const fallback = variable.fallback === undefined ? '' : `\`${variable.fallback}\``;
      const dev = variable.devFallback === undefined ? '' : ` (\`dev\`: \`${variable.devFallback}\`)`;
      return `| \`${name}\` | ${fallback}${dev} | ${variable.about}${variable.secret ? ' Secret.' : ''} |`;
    });
    return [`## ${section}`, '', '| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
  });
  return `# Configuration

Environment variables configure Darkroom. It also reads a \`.env\` file in the working folder, which replaces no value of the environment.
For mounted secrets, \`NAME_FILE\` is the path of a file with the value of \`NAME\`. All invalid values are reported at once.
\`darkroom config\` shows the effective values and their sources, and \`darkroom doctor\` checks what they point to.

This page is written by \`npm run docs\` from [src/config/variables.ts](../src/config/variables.ts).

${parts.join('\n\n')}
`;
}

/** Returns the text of .env.example. */
export function environmentExample(): string {
  const parts = [...sections()].map(([section, entries]) => {
    const lines = entries
      .filter(([, variable]) => !variable.inherited)
      .map(([name, variable]) => `# ${variable.about}\n#${name}=${variable.fallback ?? ''}`);
    return `# ── ${section}\n\n${lines.join('\n\n')}`;
  });
  return `# Copy to .env and uncomment what you need. Everything is explained in docs/configuration.md. With docker-compose.yml the values
# that it fixes itself win.
# Made by: npm run docs

# ── Needed by docker-compose.yml (values of your own, for example from: openssl rand -hex 32)

REDIS_PASSWORD=
S3_ACCESS_KEY_ID=
S3_SECRET_ACCESS_KEY=
# openssl rand -base64 32
SECRETS_KEY=
# tenant:key, for the first caller
API_KEYS=
OPENAI_API_KEY=

${parts.join('\n\n')}
`;
}
