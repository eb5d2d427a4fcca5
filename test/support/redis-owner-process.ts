// A process that runs a managed Redis until its standard input ends, for tests that end it in other ways.
// Argument: the data folder. Prints a line of JSON when the server answers or could not be started, and one
// word whenever it gets SIGINT, which it otherwise ignores like a server that is still finishing its work.
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
