// Runs the offline provider as a process. Arguments: the file for one line per paid call, and the latency of every
// response in milliseconds. A generation that leaves its quality to the model has the dearest one. Prints the address of the provider. Ends with its standard input.
import { startStudio } from '../../src/local/studio/studio.ts';

const [, , ledgerFile = '', latencyMs = '0'] = process.argv;
const studio = await startStudio({
  image: 'quick',
  ledgerFile,
  latencyMs: Number(latencyMs),
  autoQuality: 'dearest',
});
console.log(studio.baseUrl);
process.stdin.on('end', () => void studio.stop().then(() => process.exit(0)));
process.stdin.resume();
