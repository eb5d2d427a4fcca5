/** Writes docs/studio.md. A test fails if the committed file is stale. */
import { writeFileSync } from 'node:fs';
import { studioPage } from './studio-docs.ts';

writeFileSync('docs/studio.md', studioPage());
