import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a Redis that can hang right after a write. */
export interface HangingRedis {
  readonly url: string;
  /** Passes the next command with the text and its reply, and no further command until `resume`. */
  hangAfter(text: string): void;
  resume(): void;
  close(): void;
}

/** Starts a proxy on loopback in front of the socket of a Redis. */
export async function startHangingRedis(path: string): Promise<HangingRedis> {
  const changes = new EventEmitter().setMaxListeners(0);
  const callers = new Set<Socket>();
  let wanted: string | undefined;
  let isHanging = false;

  async function passCommands(caller: Socket, redis: Socket): Promise<void> {
    for await (const chunk of caller) {
      while (isHanging) await once(changes, 'resume');
      redis.write(chunk as Buffer);
      if (wanted === undefined || !(chunk as Buffer).includes(wanted)) continue;
      wanted = undefined;
      isHanging = true;
    }
  }

  const server = createServer((caller) => {
    const redis = connect({ path });
    callers.add(caller);
    caller.on('error', () => undefined).once('close', () => redis.destroy());
    redis.on('error', () => undefined).once('close', () => caller.destroy());
    redis.pipe(caller);
    passCommands(caller, redis).catch(() => caller.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const resume = () => {
    wanted = undefined;
    isHanging = false;
    changes.emit('resume');
  };
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangAfter(text) {
      wanted = text;
    },
    resume,
    close() {
      resume();
      for (const caller of callers) caller.destroy();
      server.close();
    },
  };
}
