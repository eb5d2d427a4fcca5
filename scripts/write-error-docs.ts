/** Writes docs/errors.md. A test fails if the committed file is stale. */
import { writeFileSync } from 'node:fs';
import { errorsPage } from './error-docs.ts';

writeFileSync('docs/errors.md', errorsPage());
