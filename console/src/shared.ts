/**
 * Modules that two of the three parts of the program need: the frame, the screens of images, and those of operations. Every
 * part imports this file, so that the bundler puts them into one file instead of a small file for each pair of parts.
 */
import './api/idempotency-key.ts';
import './api/sse-parser.ts';
import './api/use-refresh.ts';
import './components/money.tsx';
import './components/problem.tsx';
import './components/secret-dialog.tsx';
import './components/segmented.tsx';
import './components/table.tsx';
import './components/time.tsx';
import './format/parse-usd.ts';
import './format/short-id.ts';
