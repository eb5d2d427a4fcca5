/** Writes docs/studio.md. A test fails when the committed file is stale. */
import { writeFileSync } from 'node:fs';
import { studioPage } from './studio-docs.ts';

writeFileSync('docs/studio.md', studioPage());
