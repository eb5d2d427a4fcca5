/** Writes the table of models in both languages of the README. A test fails if a committed table is stale. */
import { writeFileSync } from 'node:fs';
import { readmes, readmeWithModels } from './model-docs.ts';

for (const name of readmes) writeFileSync(name, readmeWithModels(name));
