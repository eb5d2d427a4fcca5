/** Writes docs/models.md. A test fails if the committed file is stale. */
import { writeFileSync } from 'node:fs';
import { modelsPage } from './catalogue-docs.ts';

writeFileSync('docs/models.md', modelsPage());
