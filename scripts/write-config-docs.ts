/** Writes docs/configuration.md and .env.example. A test fails if the committed files are stale. */
import { writeFileSync } from 'node:fs';
import { configurationPage, environmentExample } from './config-docs.ts';

writeFileSync('docs/configuration.md', configurationPage());
writeFileSync('.env.example', environmentExample());
