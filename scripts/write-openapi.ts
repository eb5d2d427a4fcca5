/** Writes openapi.yaml from the routes. A test fails if the committed file is stale. */
import { writeFileSync } from 'node:fs';
import { composeDocument } from '../src/compose/document.ts';

writeFileSync('openapi.yaml', await composeDocument());
