// Runs a managed Redis until its standard input ends. Tests end this process in other ways. Argument: the data folder.
// Prints a line of JSON when the server responds or could not be started. Prints one word for every SIGINT and otherwise
// ignores the signal, like a server that is still finishing its work.
import { startRedisIn } from './redis.ts';

const [, , dataDir = ''] = process.argv;
process.on('SIGINT', () => console.log('SIGINT'));
try {
  const redis = await startRedisIn(dataDir);
  console.log(JSON.stringify({ pid: redis.pid, path: redis.path, reused: redis.reused }));
  process.stdin.on('end', () => void redis.stop().then(() => process.exit(0)));
  process.stdin.resume();
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  process.exitCode = 1;
}
