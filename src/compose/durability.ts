import { every } from '../lib/every.ts';
import { hasAppendOnlyFile } from '../outbound/records/append-only-file.ts';
import type { Connections } from './redis.ts';
import type { Root } from './root.ts';

const pollMs = 2_000;

/** State of Redis' append-only file. Without the file, accepted jobs are lost when the Redis process ends. */
export interface Durability {
  /** Returns whether the file is on, or `null` if Redis does not report its state. */
  isAofOn(): Promise<boolean | null>;
  /** Returns the result for readiness. The check fails only if REQUIRE_AOF is set. */
  check(): Promise<{ ok: boolean; detail: string | null }>;
  /** Logs a warning at startup if the file is off. */
  warn(): Promise<void>;
  /**
   * Calls `onChange` whenever workers may start or must stop, if REQUIRE_AOF is set. Otherwise calls it once with `true`.
   */
  watch(onChange: (mayWork: boolean) => void): void;
}

/** Reads the state of the append-only file from INFO. */
export function composeDurability(root: Root, { records }: Connections): Durability {
  const { config, log, closers } = root;
  const isAofOn = () => hasAppendOnlyFile(records);
  return {
    isAofOn,
    async check() {
      const isOn = await isAofOn();
      if (isOn) return { ok: true, detail: null };
      const state = isOn === false ? 'is off' : 'cannot be read';
      const detail = `the append-only file of Redis ${state}: accepted jobs are lost when Redis ends; set appendonly yes`;
      return { ok: !config.REQUIRE_AOF, detail };
    },
    async warn() {
      if ((await isAofOn()) !== false) return;
      log.warn(
        { require_aof: config.REQUIRE_AOF },
        'Redis has no append-only file: accepted jobs are lost when its process ends; set appendonly yes',
      );
    },
    watch(onChange) {
      if (!config.REQUIRE_AOF) return onChange(true);
      let mayWork = false;
      const update = async () => {
        const isOn = await isAofOn();
        if (isOn === null || isOn === mayWork) return;
        mayWork = isOn;
        log.warn(
          { may_work: mayWork },
          mayWork ? 'append-only file is on: workers start' : 'append-only file is off: workers stop',
        );
        onChange(mayWork);
      };
      const onError = (error: unknown) => log.warn({ err: error }, 'append-only file not checked, retrying');
      closers.add(every(pollMs, update, { onError, firstAfterMs: 0 }), (stop) => stop());
    },
  };
}
