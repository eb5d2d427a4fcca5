/** Writes the table of models in README.md. A test fails if the committed table is stale. */
import { writeFileSync } from 'node:fs';
import { readmeWithModels } from './model-docs.ts';

writeFileSync('README.md', readmeWithModels());
