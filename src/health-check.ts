/**
 * Checks the health of a container: requests `/livez` of its service and exits with 0 if the response is 2xx. It is a
 * separate program, so that the container image needs no curl.
 */
import { get } from 'node:http';
import { loadValues, processEnv } from './config/config.ts';
import { hostInUrl } from './lib/host-in-url.ts';

const { HOST, PORT } = loadValues(['HOST', 'PORT'], processEnv());
const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;

process.exitCode = 1;
const url = `http://${hostInUrl(host)}:${PORT}/livez`;
const request = get(url, { signal: AbortSignal.timeout(3_000) }, (response) => {
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) process.exitCode = 0;
  response.resume();
});
// The error is ignored, because the exit code reports the failure.
request.on('error', () => undefined);
