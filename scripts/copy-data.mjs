// Copies the data files into the folder of the compiled program.
import { cpSync } from 'node:fs';

cpSync('src/data', 'dist/data', { recursive: true });
