/**
 * The container's health check: asks this process's own `/livez` and ends with 0 when it answers. A program of its own,
 * so that the image needs no curl.
 */
import { loadValues, processEnv } from './config/config.ts';
import { hostInUrl } from './lib/host-in-url.ts';

const { HOST, PORT } = loadValues(['HOST', 'PORT'], processEnv());
const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;

try {
  const response = await fetch(`http://${hostInUrl(host)}:${PORT}/livez`, {
    signal: AbortSignal.timeout(3_000),
  });
  process.exitCode = response.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
