/** Writes the exceptions of the Python client. A test fails if the committed file is stale. */
import { writeFileSync } from 'node:fs';
import { pythonErrors } from './python-errors.ts';

writeFileSync('clients/python/src/darkroom/error_codes.py', pythonErrors());
