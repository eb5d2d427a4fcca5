import { credential, defineVariable, text, url } from '../../lib/variable.ts';

const section = 'Command line';

/** Variables of the command line and of the system. */
export const commandLine = {
  DARKROOM_URL: defineVariable({
    section,
    schema: url,
    about: 'Service that `generate`, `jobs` and `webhooks` call. Default: this machine, at PORT.',
  }),
  DARKROOM_API_KEY: defineVariable({
    section,
    schema: credential,
    secret: true,
    about: 'API key of these calls. Default: the key that `dev` created in DATA_DIR.',
  }),
  NO_COLOR: defineVariable({
    section,
    schema: text,
    about: 'Any value turns off the progress line of `generate`.',
  }),
  XDG_CACHE_HOME: defineVariable({
    section,
    schema: text,
    about: 'Folder of caches, in which `dev` stores a downloaded Redis. Default: `~/.cache`.',
  }),
  NODE_ENV: defineVariable({
    section,
    schema: text,
    about:
      'If `production`, or if REDIS_URL is set, `doctor` checks the requirements of `serve`, otherwise those of `dev`.',
  }),
  PATH: defineVariable({
    section,
    schema: text,
    inherited: true,
    about: 'Folders in which `dev` finds redis-server or valkey-server, and apt-get for a download.',
  }),
};
