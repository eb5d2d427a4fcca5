// Puts the data files beside the compiled program.
import { cpSync } from 'node:fs';

cpSync('src/data', 'dist/data', { recursive: true });
