import { readFileSync } from 'node:fs';

const readEveryMs = 20;

/** Bytes that the kernel holds for clients of a local port, because they have not acknowledged them. Only on Linux. */
export interface SendQueues {
  /** Ends the observation. @returns the maximum, in bytes. */
  stop(): number;
}

/** Observes the send queues of a local IPv4 port. */
export function watchSendQueues(port: number): SendQueues {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let max = 0;
  const read = () => {
    let sum = 0;
    for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
      // Columns of proc(5): number, local address, remote address, state, send queue and receive queue in hexadecimal.
      const [, address = '', , , queues = ''] = line.trim().split(/\s+/);
      if (address.endsWith(local)) sum += Number.parseInt(queues.split(':')[0] ?? '', 16) || 0;
    }
    max = Math.max(max, sum);
  };
  const timer = setInterval(read, readEveryMs);
  return {
    stop() {
      clearInterval(timer);
      return max;
    },
  };
}
