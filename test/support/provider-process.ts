// The offline provider in a process of its own. Arguments: the file that gets a line per paid call, and how many
// milliseconds every answer takes. Prints its address, and ends when its standard input does.
import { startStudio } from '../../src/local/studio/studio.ts';

const [, , ledgerFile = '', latencyMs = '0'] = process.argv;
const studio = await startStudio({ image: 'quick', ledgerFile, latencyMs: Number(latencyMs) });
console.log(studio.baseUrl);
process.stdin.on('end', () => void studio.stop().then(() => process.exit(0)));
process.stdin.resume();
