// Completes the compiled program: copies its data, and adds the files that start it.
import { cpSync, writeFileSync } from 'node:fs';

cpSync('src/data', 'dist/src/data', { recursive: true });
for (const name of ['main', 'health-check']) {
  writeFileSync(`dist/${name}.js`, `#!/usr/bin/env node\nimport './src/${name}.js';\n`);
}
